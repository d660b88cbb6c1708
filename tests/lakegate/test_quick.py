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


def test_a_command_takes_the_pages_of_some_blocks_for_the_next() -> None:
    told = (
        "import resource; faults = lambda: resource.getrusage(resource.RUSAGE_SELF).ru_minflt\n"
        'def blocks():\n  for _ in range(20): [b"x" * (3 << 20) for _ in range(5)]\n'
        "blocks(); before = faults(); blocks(); print(faults() - before < 20_000)"
    )
    assert sys.platform != "linux" or _printed(_STARTED + told) == "True"


def test_a_command_ends_with_its_status_and_all_that_it_printed() -> None:
    code = (
        "import atexit, sys; from lakegate.quick import leave_quickly; atexit.register(print, 'at the end');"
        "print('x' * 100_000); leave_quickly(3)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert (done.returncode, done.stdout, done.stderr) == (3, "x" * 100_000 + "\nat the end\n", "")


def test_a_command_that_ends_waits_for_its_threads() -> None:
    code = (
        "import sys, threading, time; from lakegate.quick import leave_quickly;"
        "threading.Thread(target=lambda: (time.sleep(0.2), print('done'))).start(); leave_quickly(0)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert (done.returncode, done.stdout) == (0, "done\n")


def test_idle_threads_of_a_pool_do_not_make_a_command_take_itself_apart() -> None:
    code = (
        "from concurrent.futures import ThreadPoolExecutor; from lakegate.quick import leave_quickly\n"
        "class Apart:\n    def __del__(self) -> None: print('taken apart')\n"
        "left = Apart(); pool = ThreadPoolExecutor(2); pool.submit(print, 'done').result(); leave_quickly(0)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert (done.returncode, done.stdout, done.stderr) == (0, "done\n", "")
