"""The floor of a hit: the same server and app with a route that verifies the token, makes one SQLite look-up by key
and sends a stored body.

`python -m tests.bench.floor HOME` serves a home with that route beside the others and prints its port;
`python -m tests.bench.floor HOME PORT INDEX` is one more worker at that port.
"""

import asyncio
import signal
import sys
from contextlib import nullcontext
from pathlib import Path

from api.edge import visited
from api.embedded import app
from api.response import Reply, json_reply
from athena.lake import Lake
from athena.sqlite import Database
from lakegate.listening import Listening, reserved
from lakegate.served import served

HOST = "127.0.0.1"
BODIES = "floor.sqlite"
SCHEMA = "CREATE TABLE IF NOT EXISTS bodies (name TEXT PRIMARY KEY, body BLOB NOT NULL) WITHOUT ROWID"


def main(home: Path, port: int = 0, index: int = 0) -> None:
    """Serve until SIGTERM."""
    bodies = Database(home / BODIES, SCHEMA)

    @app.view("/floor/{name}", "POST")
    def post_floor(name: str) -> Reply:
        visit, incoming = visited()
        assert visit.parts.tokens is not None
        visit.parts.tokens.verify((incoming.authorization or "").removeprefix("Bearer "))
        with bodies.read() as connection:
            row = connection.execute("SELECT body FROM bodies WHERE name = ?", (name,)).fetchone()
        return json_reply(bytes(row["body"]))

    def ready(listening: Listening) -> None:
        sys.stdout.write(f"{listening.port}\n")
        sys.stdout.flush()

    async def until_signal(lake: Lake, listening: Listening) -> None:
        stop = asyncio.Event()
        asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, stop.set)
        await served(lake, listening, stop=stop, ready=ready, index=index)

    place = nullcontext(Listening(HOST, port)) if port else reserved(HOST, 0)
    with Lake.embedded(home) as lake, place as listening:
        asyncio.run(until_signal(lake, listening))


if __name__ == "__main__":
    main(Path(sys.argv[1]), *map(int, sys.argv[2:]))
