"""Every example that a document marks as tested runs as it stands, with the real command in a fresh folder."""

import json
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pyarrow.parquet as pq
import pytest

from lakegate.serve import running

ROOT = Path(__file__).parents[1]
MARKED = r"<!-- tested -->\n```{language}\n(.*?)```"


def examples(page: str) -> str:
    """The marked examples of a page as one script: later ones go on where earlier ones ended."""
    return "set -euo pipefail\n" + "".join(marked(page, "sh"))


def marked(page: str, language: str) -> list[str]:
    """The marked examples of a page in a language."""
    found = re.findall(MARKED.format(language=language), (ROOT / page).read_text(encoding="utf-8"), flags=re.DOTALL)
    assert found, f"{page} has no example in {language} that is marked as tested"
    return [str(example) for example in found]


def run(script: str, folder: Path, **environment: str) -> subprocess.CompletedProcess[str]:
    """The script's output, with `lakegate` found first on the path; fails when any of its commands does."""
    path = f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"
    surroundings = {**os.environ, **environment, "PATH": path, "LAKEGATE_HOME": environment.get("LAKEGATE_HOME", "")}
    done = subprocess.run(
        ["bash", "-c", script], cwd=folder, env=surroundings, capture_output=True, text=True, timeout=900, check=False
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return done


def test_the_quick_start_of_the_readme(tmp_path: Path) -> None:
    done = run(examples("README.md"), tmp_path)
    assert "3 rows in" in done.stdout
    assert re.search(r"revenue +decimal|revenue +double", done.stdout)
    assert re.search(r"^Aurora +27$", done.stdout, flags=re.MULTILINE)
    assert re.search(r", miss, .*\n.*, hit, ", done.stderr)
    partner = done.stdout.rsplit("client secret", maxsplit=1)[1]
    assert "Borealis" not in partner
    assert "revenue" not in partner


def test_the_page_for_data_owners(tmp_path: Path) -> None:
    done = run(examples("docs/data-owners.md"), tmp_path)
    assert "1 rejected (field-count 1)" in done.stdout
    assert re.search(r"^ *17 +field-count +2026-06-16,Kiel$", done.stdout, flags=re.MULTILINE)


def test_the_contract_on_the_page_for_data_owners(tmp_path: Path) -> None:
    (contract,) = marked("docs/data-owners.md", "toml")
    script = """
    mkdir -p landing/rain/dwd
    printf 'day,station,mm\\n2026-05-01,Kiel,1.5\\n' > landing/rain/may.csv
    printf 'Tag;Ort;mm\\n02.05.2026;Bonn;2,5\\n03.05.2026;Kiel;-999\\n' > landing/rain/dwd/may.csv
    lakegate reconcile --json
    lakegate query --format csv "SELECT day, station, mm FROM rain ORDER BY day"
    lakegate describe rain
    """
    run("lakegate init .", tmp_path)
    (tmp_path / "datasets" / "rain.toml").write_text(contract, encoding="utf-8")
    printed = run(f"set -e\n{script}", tmp_path).stdout
    assert "day,station,mm\n2026-05-01,Kiel,1.5\n2026-05-02,Bonn,2.5\n2026-05-03,Kiel,\n" in printed
    assert "rain in 24 hours" in printed
    assert printed.count('"status": "loaded"') == 2


@pytest.fixture(scope="module")
def lake(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A home with a few flights and a partner; its credentials are in `partner.json` beside it."""
    folder = tmp_path_factory.mktemp("partners")
    script = """
    lakegate init home
    printf 'origin,dest,dep_delay\\nJFK,LAX,75\\nJFK,SFO,80\\nJFK,BOS,1\\nEWR,LAX,99\\n' > flights.csv
    lakegate load flights.csv --dataset flights --home home
    lakegate partner add yourname --dataset flights --rows "origin = 'JFK'" --home home --json > partner.json
    """
    run("set -e\n" + script, folder)
    return folder


def as_partner(lake: Path, script: str) -> str:
    """What a script prints that finds a server and the partner's credentials in its environment."""
    partner = json.loads((lake / "partner.json").read_text(encoding="utf-8"))
    with running(lake / "home", watch=False) as server:
        surroundings = {
            "LAKE": server.url,
            "CLIENT_ID": partner["client_id"],
            "CLIENT_SECRET": partner["client_secret"],
        }
        return run(script, lake, **surroundings).stdout


def test_the_page_for_partners(lake: Path) -> None:
    listing, dataset, answer, *more = re.split(r"(?<=\})(?=\{)", as_partner(lake, examples("docs/partners.md")))
    assert [one["name"] for one in json.loads(listing)["datasets"]] == ["flights"]
    assert [column["name"] for column in json.loads(dataset)["columns"]] == ["origin", "dest", "dep_delay"]
    asked, _, rest = "".join([answer, *more]).partition("dest,dep_delay\n")
    found = json.loads(asked)
    assert (found["state"], found["rows"], found["cache"]) == ("SUCCEEDED", [["JFK", "2"]], "miss")
    without_sql, page, sheet = re.split(r"(?<=\n)(?=\{)|(?<=\})(?=origin)", rest)
    assert without_sql == "SFO,80\nLAX,75\ndest\nSFO\n"
    assert json.loads(page)["rows"] == [["JFK", "BOS", 1], ["JFK", "LAX", 75]]
    assert sheet == "origin,dest,dep_delay\nJFK,BOS,1\nJFK,LAX,75\nJFK,SFO,80\n"
    assert pq.read_table(lake / "flights.parquet").num_rows == 3


def test_partners_in_python(lake: Path) -> None:
    (example,) = marked("docs/partners.md", "python")
    (lake / "example.py").write_text(example, encoding="utf-8")
    assert as_partner(lake, "python example.py") == "[['LAX', 75], ['SFO', 80]]\n"


@pytest.mark.skipif(shutil.which("node") is None, reason="NOT RUN: the JavaScript examples need node")
def test_partners_in_javascript(lake: Path) -> None:
    (example,) = marked("docs/partners.md", "js")
    (lake / "example.mjs").write_text(example, encoding="utf-8")
    printed = json.loads(as_partner(lake, "node example.mjs"))
    assert printed == [{"dest": "LAX", "dep_delay": 75}, {"dest": "SFO", "dep_delay": 80}]
