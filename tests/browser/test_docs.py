"""`/docs` in a real browser: sign in as a partner, run a question, see the rows; nothing is asked of anybody else."""

import json
import shutil
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.client import HTTPConnection
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest
from selenium.webdriver import Chrome, ChromeOptions
from selenium.webdriver.chrome.service import Service
from selenium.webdriver.common.by import By
from selenium.webdriver.remote.webelement import WebElement
from selenium.webdriver.support.ui import WebDriverWait

from api.callers.credentials import Issued
from lakegate.serve import Listening
from tests.lakegate.conftest import home_of_stays
from tests.lakegate.server import credentials, serving

BROWSER, DRIVER = shutil.which("chromium"), shutil.which("chromedriver")
pytestmark = [
    pytest.mark.browser,
    pytest.mark.skipif(
        BROWSER is None or DRIVER is None, reason="there is no Chromium on this machine: /docs WAS NOT TESTED"
    ),
]
SECONDS = 30
# The browser is to ask our server alone, and nothing of its makers.
FLAGS = (
    "--headless",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-dev-shm-usage",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--window-size=1200,1600",
)
SQL = "SELECT hotel, day, note FROM stays WHERE hotel = 'Aurora' ORDER BY day"


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    made = home_of_stays(tmp_path_factory.mktemp("docs"))
    (made / "partners").mkdir(exist_ok=True)
    (made / "partners" / "aurora.toml").write_text("[datasets.stays]\nrows = \"hotel = 'Aurora'\"\n")
    return made


@pytest.fixture(scope="module")
def issued(home: Path) -> Issued:
    return credentials(home, "aurora")


@pytest.fixture(scope="module")
def at(home: Path) -> Iterator[Listening]:
    with serving(home) as listening:
        yield listening


@pytest.fixture
def browser(tmp_path: Path) -> Iterator[Chrome]:
    options = ChromeOptions()
    options.binary_location = str(BROWSER)
    for flag in (*FLAGS, f"--user-data-dir={tmp_path / 'profile'}"):
        options.add_argument(flag)
    options.set_capability("goog:loggingPrefs", {"performance": "ALL", "browser": "ALL"})
    driver = Chrome(options=options, service=Service(executable_path=str(DRIVER)))
    try:
        yield driver
    finally:
        driver.quit()


def found(browser: Chrome, css: str) -> WebElement:
    """The first visible element, once there is one."""

    def look(driver: Any) -> WebElement | None:
        shown = [element for element in driver.find_elements(By.CSS_SELECTOR, css) if element.is_displayed()]
        return shown[0] if shown else None

    return WebDriverWait(browser, SECONDS).until(look, f"nothing is shown at {css}")  # type: ignore[return-value]


def logged(browser: Chrome, kind: str) -> list[dict[str, Any]]:
    """What the browser has written down since it was asked last."""
    entries: list[dict[str, Any]] = browser.get_log(kind)  # type: ignore[no-untyped-call]
    return entries


def asked_of(browser: Chrome) -> set[str]:
    """Every address that the page has asked."""
    messages = [json.loads(entry["message"])["message"] for entry in logged(browser, "performance")]
    sent = [message["params"] for message in messages if message["method"] == "Network.requestWillBeSent"]
    return {one["request"]["url"] for one in sent if one["request"]["url"].startswith(("http", "ws"))}


def sign_in(browser: Chrome, client_id: str, secret: str) -> None:
    found(browser, ".btn.authorize").click()
    found(browser, "input#client_id_clientCredentials").send_keys(client_id)
    found(browser, "input#client_secret_clientCredentials").send_keys(secret)
    found(browser, ".auth-btn-wrapper .authorize").click()


def ask(browser: Chrome, sql: str) -> None:
    """Run a question by try-it-out."""
    found(browser, "#operations-default-post_query .opblock-summary-control").click()
    text = found(browser, "#operations-default-post_query textarea.body-param__text")
    text.clear()
    text.send_keys(json.dumps({"sql": sql}))
    found(browser, "#operations-default-post_query .execute").click()


def test_a_partner_signs_in_asks_and_sees_their_rows(
    browser: Chrome, at: Listening, issued: Issued, tmp_path: Path
) -> None:
    browser.get(f"{at.url}/")
    assert found(browser, "h1.title, h2.title").text.startswith("Lakegate")
    assert browser.current_url.startswith(f"{at.url}/docs")
    picture(browser, tmp_path / "page.png")
    sign_in(browser, issued.client_id, issued.secret)
    found(browser, "button[aria-label='Remove authorization']")
    picture(browser, tmp_path / "signed-in.png")
    found(browser, ".auth-btn-wrapper .btn-done").click()
    ask(browser, SQL)
    live = "#operations-default-post_query .live-responses-table"
    assert found(browser, f"{live} tr.response .response-col_status").text.startswith("200")
    shown = json.loads(found(browser, f"{live} tr.response .response-col_description .highlight-code code").text)
    assert shown["rows"] == [["Aurora", "2026-05-01", None], ["Aurora", "2026-05-02", ""]]
    browser.execute_script("arguments[0].scrollIntoView()", found(browser, live))
    picture(browser, tmp_path / "rows.png")
    assert all(url.startswith(f"{at.url}/") for url in asked_of(browser))
    assert [entry["message"] for entry in logged(browser, "browser") if entry["level"] == "SEVERE"] == []


def test_wrong_credentials_are_told(browser: Chrome, at: Listening, issued: Issued) -> None:
    browser.get(f"{at.url}/docs")
    sign_in(browser, issued.client_id, "no secret of theirs")
    assert "invalid_client" in found(browser, ".auth-container .errors").text


def test_below_a_path_of_a_proxy_as_well(browser: Chrome, at: Listening, issued: Issued) -> None:
    with below(at, "/lake") as url:
        browser.get(f"{url}/docs")
        sign_in(browser, issued.client_id, issued.secret)
        found(browser, "button[aria-label='Remove authorization']")
        found(browser, ".auth-btn-wrapper .btn-done").click()
        ask(browser, SQL)
        live = "#operations-default-post_query .live-responses-table"
        assert found(browser, f"{live} tr.response .response-col_status").text.startswith("200")
        assert all(asked.startswith(f"{url}/") for asked in asked_of(browser))


@contextmanager
def below(at: Listening, path: str) -> Iterator[str]:
    """The server behind a proxy that serves it below a path of its own, and nothing else."""

    class Proxy(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            if not self.path.startswith(f"{path}/"):
                self.send_error(404)
                return
            body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
            behind = HTTPConnection(at.host, at.port, timeout=SECONDS)
            behind.request(self.command, self.path.removeprefix(path), body, dict(self.headers))
            got = behind.getresponse()
            content = got.read()
            behind.close()
            self.send_response(got.status)
            for name, value in got.getheaders():
                self.send_header(name, value)
            self.end_headers()
            self.wfile.write(content)

        def do_POST(self) -> None:
            self.do_GET()

        def log_message(self, format: str, *args: object) -> None:
            """Nothing."""

    server = ThreadingHTTPServer((at.host, 0), Proxy)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    try:
        yield f"http://{at.host}:{server.server_port}{path}"
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


def picture(browser: Chrome, path: Path) -> None:
    """What is shown now, to be looked at."""
    assert browser.save_screenshot(str(path))
