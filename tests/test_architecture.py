"""The shape of the code: who may know whom, what is pure, what is heavy, how long things are. Held by walking it."""

import ast
import re
import subprocess
import sys
from collections.abc import Iterator
from functools import cache
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
PACKAGES = ("athena", "etl", "api", "infra", "lakegate")
MAY_IMPORT = {
    "athena": {"athena"},
    "etl": {"etl", "athena"},
    "api": {"api", "athena"},
    "infra": {"infra", "api", "etl", "athena"},
    # `lakegate deploy` and its company; nothing that is deployed imports it.
    "lakegate": {"lakegate", "infra", "api", "etl", "athena"},
}

# Values in, values out. A module that calls itself "Pure." stands here, and the other way round.
# fmt: off
PURE = frozenset([
    "api.bodies", "api.deprecation", "api.envelope", "api.fields", "api.filters", "api.forms", "api.keyset",
    "api.openapi", "api.operations", "api.response", "api.schemas", "api.shapes", "api.telemetry", "api.values",
    "athena.arrow", "athena.changes", "athena.conditions", "athena.dataset", "athena.engines.athena.pin",
    "athena.engines.athena.reason", "athena.engines.athena.unload", "athena.engines.athena.workgroup",
    "athena.engines.duckdb.errand", "athena.engines.duckdb.prune", "athena.engines.duckdb.text",
    "athena.engines.duckdb.translate", "athena.entitlement", "athena.failures", "athena.fingerprint",
    "athena.forms", "athena.grants.toml", "athena.handles", "athena.heads.past", "athena.notices.reach",
    "athena.notices.sign", "athena.page", "athena.parameters", "athena.policy", "athena.question", "athena.records",
    "athena.results.footer", "athena.results.quoted", "athena.results.typed", "athena.sql.accepted",
    "athena.sql.calls", "athena.sql.filters", "athena.sql.functions", "athena.sql.grammar", "athena.sql.grouping",
    "athena.sql.guard", "athena.sql.judge", "athena.sql.kinds", "athena.sql.lambdas", "athena.sql.nodes",
    "athena.sql.resolve", "athena.sql.scopes", "athena.sql.sources", "athena.sql.tokens", "athena.sql.verify",
    "athena.statement", "athena.trino.build", "athena.trino.function", "athena.trino.instants",
    "athena.trino.refusal", "athena.trino.resolve", "athena.trino.scope", "athena.trino.text", "athena.trino.types",
    "athena.usage.windows", "etl._above", "etl._apart", "etl._casting", "etl._cell", "etl._charset",
    "etl._decimals", "etl._encoding", "etl._footer", "etl._foreign", "etl._form", "etl._header", "etl._kinds",
    "etl._known", "etl._layout", "etl._moments", "etl._names", "etl._observe", "etl._parted", "etl._places",
    "etl._plan", "etl._prime", "etl._reading", "etl._record", "etl._sample", "etl._schema", "etl._seen",
    "etl._settle", "etl._sift", "etl._sniff", "etl._split", "etl._study", "etl._values", "etl.alike", "etl.amended",
    "etl.batch", "etl.compaction", "etl.contract", "etl.contract_checks", "etl.contract_fields",
    "etl.contract_keys", "etl.contract_rules", "etl.contract_text", "etl.contract_values", "etl.drift",
    "etl.evolve", "etl.finding", "etl.formats._sheet", "etl.infer", "etl.landing_event", "etl.ledger_state",
    "etl.manifest", "etl.mistakes", "etl.partition", "etl.plan", "etl.planning", "etl.regions", "etl.report",
    "etl.standardise", "etl.tally",
    "etl.toml_place", "etl.toml_syntax", "infra.deployment.changes", "infra.policies.access", "infra.policies.data",
    "infra.policies.http", "infra.policies.shape", "infra.policies.template", "infra.policies.watch",
    "lakegate.client.display", "lakegate.client.told", "lakegate.drawing", "lakegate.emulate.result",
])
IMPURE = frozenset([
    "asyncio", "boto3", "botocore", "chalice", "ctypes", "duckdb", "granian", "http.client", "http.server", "io",
    "logging", "multiprocessing", "os", "pathlib", "pyiceberg", "queue", "random", "requests", "secrets", "select",
    "shutil", "signal", "socket", "sqlite3", "ssl", "subprocess", "sys", "tempfile", "threading", "time",
    "urllib.request", "urllib3", "uuid",
])
# fmt: on
CLOCKS = frozenset(["now", "utcnow", "today"])

# Only these may load them at all, wherever in the file.
KEPT_TO = {
    "boto3": ("lakegate.emulate",),
    "botocore": (
        "api.probe",
        "athena.aws",
        "athena.dynamodb",
        "athena.engines.athena",
        "athena.events.eventbridge",
        "athena.heads.glue",
        "athena.s3",
        "athena.settings_aws",
        "etl.aws",
        # Clients of a person's tool, and what their errors mean for a deployment that goes on where it stopped.
        "infra.deployment",
    ),
    "awsglue": ("etl.glue_job",),
    "pyspark": ("etl.glue_job",),
    "duckdb": ("athena.engines.duckdb", "lakegate.client.answer", "lakegate.emulate"),
    "pyiceberg": ("athena.engines", "etl", "lakegate.emulate"),
    "chalice": ("api",),
    "granian": ("lakegate",),
    "typer": ("lakegate.cli", "lakegate.commands", "lakegate.pages"),
    "rich": ("lakegate.bar", "lakegate.screen"),
    "moto": ("lakegate.emulate",),
}

MAX_FILE_LINES = 300
MAX_LONGER_LINES = 500
_ONE_FAMILY = "one short function per function of Trino: a family is read side by side"
LONGER_FILES = {
    "athena.trino.aggregates": _ONE_FAMILY,
    "athena.trino.arrays": _ONE_FAMILY,
    "athena.trino.dates": _ONE_FAMILY,
    "athena.trino.queries": "one short function per clause of a query, each calling the others",
    "athena.trino.types": "one value with all that is known of it",
    "etl._values": "one short reader per column type, to be compared with the vectorised ones",
}
MAX_FUNCTION_LINES = 60
LONGER_FUNCTIONS: dict[str, str] = {}
MAX_PARAMETERS = 6
# Typer makes a command's options of its function's parameters.
OPTIONS_ARE_PARAMETERS = "lakegate.commands."
MORE_PARAMETERS: dict[str, str] = {}
BANNED_CLASSES = re.compile(r"\w*(Manager|Helper|Utils?)|Base[A-Z]\w*|\w+Base")
BANNED_FUNCTIONS = frozenset(["process", "handle"])

HEAVY = frozenset(["pyarrow", "pandas", "duckdb", "pyiceberg", "numpy", "awswrangler", "boto3", "botocore", "moto"])
STORIES = {"etl.ingest": "ingest", "athena.ask": "ask"}


def modules() -> dict[str, Path]:
    found = {}
    for package in PACKAGES:
        for path in sorted((ROOT / package).rglob("*.py")):
            parts = path.relative_to(ROOT).with_suffix("").parts
            found[".".join(parts[:-1] if parts[-1] == "__init__" else parts)] = path
    return found


MODULES = modules()


@cache
def tree(name: str) -> ast.Module:
    return ast.parse(MODULES[name].read_text(encoding="utf-8"))


def imports(name: str) -> set[str]:
    """Full names of what a module imports anywhere, imports for the type checker alone left out."""
    found: set[str] = set()
    for node in _run_time_nodes(tree(name)):
        if isinstance(node, ast.Import):
            found.update(alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{name} has a relative import"
            found.add(node.module or "")
            found.update(f"{node.module}.{alias.name}" for alias in node.names)
    return found


def _run_time_nodes(node: ast.AST) -> Iterator[ast.AST]:
    for child in ast.iter_child_nodes(node):
        if isinstance(child, ast.If) and isinstance(child.test, ast.Name) and child.test.id == "TYPE_CHECKING":
            continue
        yield child
        yield from _run_time_nodes(child)


def functions(name: str) -> Iterator[tuple[str, ast.FunctionDef | ast.AsyncFunctionDef]]:
    for node in ast.walk(tree(name)):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            yield f"{name}.{node.name}", node


def loaded_by(names: str) -> set[str]:
    """The top-level packages that a fresh interpreter has loaded after importing `names`."""
    code = f"import sys, {names}; print(*{{name.split('.')[0] for name in sys.modules}})"
    done = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=True)
    return set(done.stdout.split())


@pytest.mark.parametrize("name", MODULES)
def test_imports_go_one_way(name: str) -> None:
    package = name.split(".", maxsplit=1)[0]
    ours = {imported.split(".")[0] for imported in imports(name)} & set(PACKAGES)
    assert ours <= MAY_IMPORT[package]


def test_foreign_packages_stay_in_their_own_files() -> None:
    strays = [
        (name, imported)
        for name in MODULES
        for imported in sorted({one.split(".")[0] for one in imports(name)})
        if imported in KEPT_TO and not any(f"{name}.".startswith(f"{home}.") for home in KEPT_TO[imported])
    ]
    assert strays == []


def test_the_list_of_pure_modules_is_what_the_modules_say() -> None:
    says_so = {name for name in MODULES if "Pure." in (ast.get_docstring(tree(name)) or "")}
    assert says_so == PURE


@pytest.mark.parametrize("name", sorted(PURE))
def test_pure_modules_know_no_disk_network_clock_environment_or_log(name: str) -> None:
    impure = {imported for imported in imports(name) if any(f"{imported}.".startswith(f"{one}.") for one in IMPURE)}
    clocks = {
        node.func.attr
        for node in ast.walk(tree(name))
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute) and node.func.attr in CLOCKS
    }
    opened = {
        node.func.id
        for node in ast.walk(tree(name))
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id in ("open", "print", "input")
    }
    assert (impure, clocks, opened) == (set(), set(), set())


def test_what_a_function_on_aws_loads_is_light() -> None:
    assert HEAVY & loaded_by("athena, athena.ask, athena.lake, api.app") == set()


def test_what_starts_jobs_on_aws_is_light() -> None:
    assert (HEAVY - {"boto3", "botocore"}) & loaded_by("etl.on_landing") == set()


def test_the_command_line_starts_light() -> None:
    assert (HEAVY | {"sqlglot", "chalice", "granian", "rich"}) & loaded_by("lakegate.cli") == set()


@pytest.mark.parametrize(("module", "story"), STORIES.items())
def test_each_story_is_one_function_of_at_most_30_lines(module: str, story: str) -> None:
    told = dict(functions(module))[f"{module}.{story}"]
    assert (told.end_lineno or 0) - told.lineno < 30


def test_files_are_short() -> None:
    lengths = {name: len(path.read_text(encoding="utf-8").splitlines()) for name, path in MODULES.items()}
    allowed = {name: MAX_LONGER_LINES if name in LONGER_FILES else MAX_FILE_LINES for name in lengths}
    assert {name: count for name, count in lengths.items() if count > allowed[name]} == {}
    assert [name for name in LONGER_FILES if lengths.get(name, 0) <= MAX_FILE_LINES] == []


def test_functions_are_short() -> None:
    long = {
        name: (node.end_lineno or 0) - node.lineno + 1
        for module in MODULES
        for name, node in functions(module)
        if (node.end_lineno or 0) - node.lineno >= MAX_FUNCTION_LINES and name not in LONGER_FUNCTIONS
    }
    assert long == {}


def test_functions_take_few_parameters() -> None:
    many = {
        name: len(node.args.posonlyargs) + len(node.args.args) + len(node.args.kwonlyargs)
        for module in MODULES
        if not module.startswith(OPTIONS_ARE_PARAMETERS)
        for name, node in functions(module)
    }
    bound = {name: count for name, count in many.items() if count > MAX_PARAMETERS + 1 and name not in MORE_PARAMETERS}
    assert bound == {}


def test_names_say_what_things_are() -> None:
    classes = [
        f"{name}.{node.name}"
        for name in MODULES
        for node in ast.walk(tree(name))
        if isinstance(node, ast.ClassDef) and BANNED_CLASSES.fullmatch(node.name)
    ]
    vague = [name for module in MODULES for name, node in functions(module) if node.name in BANNED_FUNCTIONS]
    files = [name for name in MODULES if name.rsplit(".", 1)[-1] in ("utils", "util", "helpers", "common", "misc")]
    assert (classes, vague, files) == ([], [], [])


@pytest.mark.parametrize("name", MODULES)
def test_every_module_with_code_says_what_it_is_for(name: str) -> None:
    assert not tree(name).body or ast.get_docstring(tree(name)) is not None


def test_nothing_mends_itself_with_mocks() -> None:
    mocked = [
        str(path.relative_to(ROOT))
        for path in sorted((ROOT / "tests").rglob("*.py"))
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8")))
        if isinstance(node, ast.ImportFrom) and node.module in ("unittest.mock", "mock")
    ]
    assert mocked == []


# What the profiles of `tests/properties.py` decide for all.
DECIDED = {"derandomize", "deadline", "database", "print_blob", "backend"}


def settings_in(path: Path) -> list[ast.Call]:
    """Every `settings(...)` of Hypothesis in a file."""
    tree = ast.parse(path.read_text(encoding="utf-8"))
    theirs = any(isinstance(node, ast.ImportFrom) and node.module == "hypothesis" for node in ast.walk(tree))
    calls = (node for node in ast.walk(tree) if isinstance(node, ast.Call)) if theirs else ()
    return [call for call in calls if isinstance(call.func, ast.Name) and call.func.id == "settings"]


def test_no_property_decides_for_itself_what_the_profiles_decide() -> None:
    found = 0
    for path in sorted(Path(__file__).parent.rglob("*.py")):
        for call in settings_in(path):
            named = {keyword.arg for keyword in call.keywords}
            assert None not in named and not named & DECIDED, f"{path}:{call.lineno}: leave {named & DECIDED} out"
            # Naming some replaces the profile's.
            told = path.read_text(encoding="utf-8")
            assert "suppress_health_check" not in named or "too_slow" in told or "list(HealthCheck)" in told, path
            found += 1
    assert found > 20
