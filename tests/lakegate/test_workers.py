"""The server with several workers, with TLS, and what Prometheus reads of it."""

import os
import re
import signal
import socket
import ssl
import time
from datetime import UTC, datetime, timedelta
from http.client import HTTPConnection, HTTPException, HTTPSConnection
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from api.callers.credentials import Credentials
from athena.errors import Failed
from athena.settings import HOME_FILE, read_settings
from lakegate.certificates import Certificate, Renewal
from lakegate.cli import run
from lakegate.home import init_home
from lakegate.listening import Listening
from lakegate.serve import running
from tests.lakegate.conftest import STAYS
from tests.lakegate.server import Client, client, serving

COUNT = "SELECT count(*) AS n FROM stays"


@pytest.fixture
def home(tmp_path: Path) -> Path:
    (tmp_path / "stays.csv").write_text(STAYS, encoding="utf-8")
    made = init_home(tmp_path / "home").home
    assert run(["load", str(tmp_path / "stays.csv"), "--dataset", "stays", "--home", str(made)]) == 0
    (made / "partners").mkdir(exist_ok=True)
    (made / "partners" / "aurora.toml").write_text("[datasets.stays]\n")
    return made


def setting(home: Path, line: str) -> None:
    with (home / HOME_FILE).open("a") as file:
        file.write(f"{line}\n")


def free_ports(count: int) -> int:
    """The first of so many ports in a row that nobody has."""
    while True:
        with socket.socket() as first:
            first.bind(("127.0.0.1", 0))
            port: int = first.getsockname()[1]
        try:
            for further in range(port, port + count):
                with socket.socket() as probe:
                    probe.bind(("127.0.0.1", further))
        except (OSError, OverflowError):
            continue
        return port


def metrics(port: int) -> dict[str, float]:
    """What `/metrics` says, once somebody listens there."""
    deadline = time.monotonic() + 30
    while True:
        connection = HTTPConnection("127.0.0.1", port, timeout=5)
        try:
            connection.request("GET", "/metrics")
            response = connection.getresponse()
            assert (response.status, response.getheader("content-type", "")[:10]) == (200, "text/plain")
            lines = response.read().decode().splitlines()
            break
        except ConnectionRefusedError:
            assert time.monotonic() < deadline, "nobody listens"
            time.sleep(0.05)
        finally:
            connection.close()
    assert all(re.fullmatch(r"# (HELP|TYPE) .+|[a-z_]+(\{.*\})? [0-9.e+-]+", line) for line in lines), lines
    return {name: float(value) for name, _, value in (line.rpartition(" ") for line in lines if line[0] != "#")}


def further_workers(home: Path) -> list[int]:
    """The processes that are a home's further workers."""
    found = []
    for folder in Path("/proc").glob("[0-9]*"):
        try:
            words = (folder / "cmdline").read_bytes().split(b"\0")
        except OSError:
            continue
        if b"lakegate.served" in words and str(home).encode() in words:
            found.append(int(folder.name))
    return found


def asked(found: dict[str, float]) -> float:
    return sum(value for name, value in found.items() if name.startswith('lakegate_requests_total{route="/v1/queries"'))


def test_several_workers_answer_at_one_port_and_share_answers(home: Path) -> None:
    port = free_ports(2)
    setting(home, f"workers = 2\nmetrics_port = {port}")
    issued = Credentials.embedded(read_settings(home)).add_client("aurora")
    with serving(home) as at:
        metrics(port + 1)
        with client(at) as anonymous:
            token = anonymous.token(issued)
        with client(at, issued) as http:
            first = http.ask(COUNT).json()
        assert (first["cache"], first["rows"]) == ("miss", [["23"]])
        for _ in range(40):
            fresh = Client(at, token)
            again = fresh.ask(COUNT)
            assert (again.status, again.json()["cache"]) == (200, "hit")
            assert fresh.get(f"/v1/queries/{first['id']}").json()["rows"] == [["23"]]
            fresh.close()
        counted = [asked(metrics(port)), asked(metrics(port + 1))]
    assert sum(counted) == 41 and min(counted) > 0


@pytest.mark.skipif(not Path("/proc/self/cmdline").exists(), reason="processes are found in /proc")
def test_a_worker_that_dies_is_started_again_and_all_end_with_the_server(home: Path) -> None:
    port = free_ports(2)
    setting(home, f"workers = 2\nmetrics_port = {port}")
    with serving(home) as at:
        metrics(port + 1)
        (worker,) = further_workers(home)
        os.kill(worker, signal.SIGKILL)
        deadline = time.monotonic() + 30
        while not (again := further_workers(home)) or again == [worker]:
            assert time.monotonic() < deadline, "it was not started again"
            time.sleep(0.05)
        metrics(port + 1)
        with client(at) as http:
            assert http.get("/healthz").status == 200
    assert further_workers(home) == []


def test_metrics_count_and_name_no_partner_and_are_not_at_the_open_port(home: Path) -> None:
    port = free_ports(1)
    setting(home, f"metrics_port = {port}")
    issued = Credentials.embedded(read_settings(home)).add_client("aurora")
    with serving(home) as at, client(at, issued) as http:
        http.ask(COUNT)
        http.ask(COUNT)
        assert http.get("/metrics").status == 404
        assert http.send("BREW", "/v1/aurora").status == 404
        found = metrics(port)
    assert found['lakegate_requests_total{route="/v1/queries",method="POST",status="200"}'] == 2
    assert (found['lakegate_answers_total{cache="miss"}'], found['lakegate_answers_total{cache="hit"}']) == (1, 1)
    assert found['lakegate_request_seconds_bucket{route="/v1/queries",le="+Inf"}'] == 2
    assert found['lakegate_requests_total{route="-",method="other",status="404"}'] == 1
    assert found["process_resident_memory_bytes"] > 10_000_000
    assert "aurora" not in " ".join(found)


def certificate(folder: Path) -> None:
    """A certificate for 127.0.0.1 that nobody vouches for."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "127.0.0.1")])
    now = datetime.now(UTC)
    made = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - timedelta(days=1))
        .not_valid_after(now + timedelta(days=1))
        .sign(key, hashes.SHA256())
    )
    (folder / "tls.crt").write_bytes(made.public_bytes(serialization.Encoding.PEM))
    secret = key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    (folder / "tls.key").write_bytes(secret)


def test_with_a_certificate_the_server_speaks_https_alone(home: Path) -> None:
    certificate(home)
    setting(home, 'tls_certificate = "tls.crt"\ntls_key = "tls.key"')
    trusting = ssl.create_default_context(cafile=str(home / "tls.crt"))
    trusting.check_hostname = False
    with serving(home) as at:
        assert at.url.startswith("https://")
        connection = HTTPSConnection(at.host, at.port, timeout=10, context=trusting)
        connection.request("GET", "/healthz")
        assert connection.getresponse().status == 200
        connection.close()
        plain = HTTPConnection(at.host, at.port, timeout=10)
        with pytest.raises((OSError, HTTPException)):
            plain.request("GET", "/healthz")
            plain.getresponse()
        plain.close()


def shown(at: Listening) -> bytes:
    """The certificate that the server shows to who connects now."""
    return ssl.PEM_cert_to_DER_cert(ssl.get_server_certificate((at.host, at.port), timeout=10))


def written(home: Path) -> bytes:
    return ssl.PEM_cert_to_DER_cert((home / "tls.crt").read_text())


def test_a_new_certificate_is_used_without_a_restart(home: Path) -> None:
    certificate(home)
    setting(home, 'workers = 2\ntls_certificate = "tls.crt"\ntls_key = "tls.key"')
    trusting = ssl.create_default_context(cafile=str(home / "tls.crt"))
    trusting.check_hostname = False
    with serving(home) as at:
        old = written(home)
        assert shown(at) == old
        (home / "tls.key").write_text("half written")
        kept = HTTPSConnection(at.host, at.port, timeout=60, context=trusting)
        kept.request("GET", "/healthz")
        assert kept.getresponse().read()
        certificate(home)
        new = written(home)
        deadline = time.monotonic() + 60
        in_a_row = 0
        while in_a_row < 20:  # either worker may answer
            assert time.monotonic() < deadline, "the old certificate is still shown"
            try:
                found = shown(at)
            except OSError:  # who connects at the very instant at which an old one stops listening
                in_a_row = 0
                continue
            assert found in (old, new)
            in_a_row = in_a_row + 1 if found == new else 0
            time.sleep(0.05)
        kept.close()
        trusting = ssl.create_default_context(cafile=str(home / "tls.crt"))
        trusting.check_hostname = False
        again = HTTPSConnection(at.host, at.port, timeout=60, context=trusting)
        again.request("GET", "/healthz")
        assert again.getresponse().status == 200
        again.close()


def test_files_are_taken_up_once_they_are_whole_and_belong_together(tmp_path: Path) -> None:
    certificate(tmp_path)
    renewal = Renewal(Certificate(tmp_path / "tls.crt", tmp_path / "tls.key"))
    assert not renewal.due()
    old = (tmp_path / "tls.key").read_bytes()
    certificate(tmp_path)
    new = (tmp_path / "tls.key").read_bytes()
    (tmp_path / "tls.key").write_bytes(old)
    assert [renewal.due(), renewal.due(), renewal.due()] == [False, False, False]
    (tmp_path / "tls.key").unlink()
    assert [renewal.due(), renewal.due()] == [False, False]
    (tmp_path / "tls.key").write_bytes(new)
    assert [renewal.due(), renewal.due(), renewal.due()] == [False, True, False]


@pytest.mark.parametrize("line", ['tls_certificate = "tls.crt"', 'tls_certificate = "no.crt"\ntls_key = "tls.key"'])
def test_a_certificate_that_is_none_is_told_before_anything_listens(home: Path, line: str) -> None:
    certificate(home)
    setting(home, line)
    with pytest.raises(Failed, match="no certificate with its key") as failed, running(home, watch=False):
        pass
    assert failed.value.code == "tls-invalid" and "tls_key" in failed.value.remedy
