"""A Python without any package of its own, as Lambda has it, that runs what an archive holds."""

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

# `events` are answered one by one; `strays` are loaded modules that are neither the archive's nor Python's own.
PROGRAM = """
import json, sys
task = sys.argv[1]
sys.path.insert(0, task)
python = [one for one in sys.path if one != task]
import app
class Context:
    aws_request_id = "clean"
    def get_remaining_time_in_millis(self): return 29000
told = [app.app(event, Context()) for event in json.load(sys.stdin)]
files = [getattr(module, "__file__", None) or "" for module in list(sys.modules.values())]
strays = [one for one in files if one and not one.startswith((task, *python))]
print(json.dumps({"told": told, "modules": sorted(sys.modules), "strays": strays}))
"""


def answers(task: Path, events: list[dict[str, Any]], environment: dict[str, str]) -> dict[str, Any]:
    """What the handler in folder `task` says to `events`, and what it has loaded."""
    # -I: neither the user's packages nor PYTHONPATH; -S: no site-packages.
    command = [sys.executable, "-I", "-S", "-c", PROGRAM, str(task)]
    done = subprocess.run(
        command,
        input=json.dumps(events),
        capture_output=True,
        text=True,
        check=False,
        env={"PATH": os.environ.get("PATH", ""), **environment},
    )
    assert done.returncode == 0, done.stderr
    found: dict[str, Any] = json.loads(done.stdout.splitlines()[-1])
    return found
