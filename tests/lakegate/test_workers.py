"""The server with several workers, with TLS, and what Prometheus reads of it."""

import os
import signal
import ssl
import time
from collections import Counter
from datetime import UTC, datetime, timedelta
from http.client import HTTPConnection, HTTPException, HTTPSConnection
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from athena.errors import Failed
from athena.settings import HOME_FILE
from lakegate.certificates import Certificate, Renewal
from lakegate.listening import Listening
from lakegate.serve import running
from tests.lakegate.conftest import home_of_stays
from tests.lakegate.server import PATIENCE_SECONDS, Client, client, credentials, free_ports, metrics, serving
from tests.lakes import eventually

COUNT = "SELECT count(*) AS n FROM stays"


@pytest.fixture
def home(tmp_path: Path) -> Path:
    made = home_of_stays(tmp_path)
    (made / "partners").mkdir(exist_ok=True)
    (made / "partners" / "aurora.toml").write_text("[datasets.stays]\n")
    return made


def setting(home: Path, line: str) -> None:
    with (home / HOME_FILE).open("a") as file:
        file.write(f"{line}\n")


def further_workers(home: Path) -> list[int]:
    """The processes that are a home's further workers; for an instant those too that a worker is just starting, which
    carry its words until they have their own."""
    found = []
    for folder in Path("/proc").glob("[0-9]*"):
        try:
            words = (folder / "cmdline").read_bytes().split(b"\0")
        except OSError:
            continue
        if b"lakegate.served" in words and str(home).encode() in words:
            found.append(int(folder.name))
    return found


def further_worker(home: Path, *, but: int | None = None) -> int:
    """The one further worker of a home, once there is one that is not `but`."""
    deadline = time.monotonic() + PATIENCE_SECONDS
    while len(found := further_workers(home)) != 1 or found == [but]:
        assert time.monotonic() < deadline, found
        time.sleep(0.05)
    return found[0]


def all_of(found: dict[str, float]) -> float:
    return sum(value for name, value in found.items() if name.startswith("lakegate_requests_total"))


def asked(found: dict[str, float]) -> float:
    return sum(value for name, value in found.items() if name.startswith('lakegate_requests_total{route="/v1/queries"'))


def test_several_workers_answer_at_one_port_and_share_answers(home: Path) -> None:
    port = free_ports(2)
    setting(home, f"workers = 2\nmetrics_port = {port}")
    issued = credentials(home, "aurora")
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
        # A request is counted once its reply is on its way.
        eventually(lambda: asked(metrics(port)) + asked(metrics(port + 1)) == 41)
        assert asked(metrics(port)) > 0 and asked(metrics(port + 1)) > 0


@pytest.mark.skipif(not Path("/proc/self/cmdline").exists(), reason="processes are found in /proc")
def test_a_worker_that_dies_is_started_again_and_all_end_with_the_server(home: Path) -> None:
    port = free_ports(2)
    setting(home, f"workers = 2\nmetrics_port = {port}")
    with serving(home) as at:
        metrics(port + 1)
        worker = further_worker(home)
        os.kill(worker, signal.SIGKILL)
        further_worker(home, but=worker)
        metrics(port + 1)
        with client(at) as http:
            assert http.get("/healthz").status == 200
    eventually(lambda: further_workers(home) == [])


def test_metrics_count_and_name_no_partner_and_are_not_at_the_open_port(home: Path) -> None:
    port = free_ports(1)
    setting(home, f"metrics_port = {port}")
    issued = credentials(home, "aurora")
    with serving(home) as at, client(at, issued) as http:
        answers = [http.ask(COUNT, wait_seconds=25) for _ in range(2)]
        assert http.get("/metrics").status == 404
        assert http.send("BREW", "/v1/aurora").status == 404
        eventually(lambda: all_of(metrics(port)) == 5)  # with that for the token
        found = metrics(port)
    # On a slow machine, the first may still run after as long as it may be waited for.
    for status, count in Counter(one.status for one in answers).items():
        assert found[f'lakegate_requests_total{{route="/v1/queries",method="POST",status="{status}"}}'] == count
    for cache, count in Counter(one.json()["cache"] for one in answers).items():
        assert found[f'lakegate_answers_total{{cache="{cache}"}}'] == count
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
        connection = HTTPSConnection(at.host, at.port, timeout=PATIENCE_SECONDS, context=trusting)
        connection.request("GET", "/healthz")
        assert connection.getresponse().status == 200
        connection.close()
        plain = HTTPConnection(at.host, at.port, timeout=PATIENCE_SECONDS)
        with pytest.raises((OSError, HTTPException)):
            plain.request("GET", "/healthz")
            plain.getresponse()
        plain.close()


def shown(at: Listening) -> bytes:
    """The certificate that the server shows to who connects now."""
    return ssl.PEM_cert_to_DER_cert(ssl.get_server_certificate((at.host, at.port), timeout=PATIENCE_SECONDS))


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
        kept = HTTPSConnection(at.host, at.port, timeout=PATIENCE_SECONDS, context=trusting)
        kept.request("GET", "/healthz")
        assert kept.getresponse().read()
        certificate(home)
        new = written(home)
        deadline = time.monotonic() + PATIENCE_SECONDS
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
        again = HTTPSConnection(at.host, at.port, timeout=PATIENCE_SECONDS, context=trusting)
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
