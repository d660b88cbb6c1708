"""The server: moto's own application behind ours, in a thread."""

import threading
from collections.abc import Callable, Iterable
from typing import Any

from moto.moto_api._internal.models import moto_api_backend
from moto.moto_server.werkzeug_app import DomainDispatcherApplication, MotoRequestHandler, create_backend_app
from werkzeug.serving import make_server

HOST = "127.0.0.1"
REGION = "us-east-1"


class _Quiet(MotoRequestHandler):  # type: ignore[misc]
    """One line per request on stderr would drown everything else."""

    def log_request(self, code: int | str = "-", size: int | str = "-") -> None:
        """Write nothing."""


class Emulator:
    """Everything that moto knows of AWS, and Athena, at `url`, from `start` until `stop`. Port 0 takes a free one.

    It keeps everything in memory, one for a process, and believes every credential: for this machine alone.
    """

    def __init__(self, *, port: int = 0) -> None:
        self._moto = DomainDispatcherApplication(create_backend_app)
        self._dynamodb = threading.Lock()
        self._server = make_server(HOST, port, self._application, threaded=True, request_handler=_Quiet)
        self._thread = threading.Thread(target=self._server.serve_forever, daemon=True, name="emulated-aws")

    @property
    def url(self) -> str:
        """What AWS_ENDPOINT_URL must be."""
        return f"http://{HOST}:{self._server.server_port}"

    @property
    def environment(self) -> dict[str, str]:
        """The variables that turn every AWS client of a process to this one."""
        return {
            "AWS_ENDPOINT_URL": self.url,
            "AWS_ACCESS_KEY_ID": "emulated",
            "AWS_SECRET_ACCESS_KEY": "emulated",
            "AWS_DEFAULT_REGION": REGION,
        }

    def start(self) -> None:
        """Serve from now on, with nothing in it."""
        moto_api_backend.reset()
        self._thread.start()

    def stop(self) -> None:
        """Stop serving and forget everything."""
        self._server.shutdown()
        self._thread.join()
        self._server.server_close()
        moto_api_backend.reset()

    def __enter__(self) -> "Emulator":
        self.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()

    def _application(self, environ: dict[str, Any], start_response: Callable[..., Any]) -> Iterable[bytes]:
        if str(environ.get("HTTP_X_AMZ_TARGET", "")).startswith("DynamoDB_"):
            # moto reads and writes an item in two steps; on AWS a conditional write is one.
            with self._dynamodb:
                return self._moto(environ, start_response)  # type: ignore[no-any-return]
        return self._moto(environ, start_response)  # type: ignore[no-any-return]
