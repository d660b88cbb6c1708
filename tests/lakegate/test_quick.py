"""What a command leaves out, in a process of its own: this one has to stay as it is."""

import subprocess
import sys

_STARTED = "from lakegate.quick import start_quickly; start_quickly(); import sys, pyarrow as pa; "


def _printed(statements: str) -> str:
    return subprocess.run([sys.executable, "-c", statements], check=True, capture_output=True, text=True).stdout.strip()


def test_a_command_makes_arrays_without_importing_pandas() -> None:
    assert _printed(_STARTED + "print(len(pa.array([1, 2])), 'pandas' in sys.modules)") == "2 False"


def test_the_library_leaves_the_process_of_its_caller_alone() -> None:
    told = "import sys, gc; before = gc.get_threshold(), len(sys.meta_path); import lakegate, lakegate.cli; "
    assert _printed(told + "print(before == (gc.get_threshold(), len(sys.meta_path)))") == "True"
