"""Somebody who follows a guide to the letter, in a shell of their own, on an account that is emulated."""

import os
import pty
import re
import shlex
import shutil
import subprocess
import sys
from dataclasses import dataclass, field
from pathlib import Path

from tests.deployed.emulated import ACCOUNT, OWNER, REGION, ROOT, Ministack
from tests.deployed.guide import Block, filled, says
from tests.deployed.stripped import strip, with_defaults

_PACKAGES = ("lakegate", "infra", "etl", "athena", "api")
_COMMAND_SECONDS = 600


@dataclass
class Reader:
    """`values` are what the guide's placeholders stand for: those told from the beginning, and `<client id>` and the
    like as the last command that printed them said."""

    folder: Path
    aws: Ministack
    values: dict[str, str] = field(default_factory=dict)

    def __post_init__(self) -> None:
        (self.folder / "bin").mkdir()
        (self.folder / "desk").mkdir()
        (self.folder / "cwd").write_text(str(self.folder / "desk"))
        (self.folder / "variables").write_text("")
        self._write_tool("lakegate", f'PYTHONPATH="{self.folder}/desk/lakegate" exec {sys.executable} -m lakegate "$@"')
        self._write_tool("python", f'exec {sys.executable} "$@"')
        profile = [f"aws_access_key_id = {OWNER['AWS_ACCESS_KEY_ID']}"]
        profile += [f"aws_secret_access_key = {OWNER['AWS_SECRET_ACCESS_KEY']}", f"endpoint_url = {self.aws.url}"]
        (self.folder / "config").write_text("\n".join(["[profile emulated]", *profile, ""]))
        self.values |= {
            "<this repository>": str(_repository(self.folder / "repository")),
            "<your profile>": "emulated",
            "<your region>": REGION,
            "<the commit before>": "HEAD",
            "<account>": ACCOUNT,
            "<token url>": f"{self.aws.url}/oauth2/token",
        }

    def follow(self, block: Block) -> None:
        """Type the block's commands; each must succeed, and print what the guide says."""
        printed = ""
        for command in block.commands:
            printed += self.typed(command, block.answers)
        if block.printed:
            assert says(_unanswered(block.printed), printed), f"{block.commands}\nsays\n{block.printed}\nnot\n{printed}"

    def typed(self, command: str, answers: tuple[str, ...] = (), *, code: int = 0) -> str:
        """What a command prints that must end with `code`, the questions answered on a terminal."""
        script = self.folder / "script"
        state, place = self.folder / "variables", self.folder / "cwd"
        after = f"export -p > {state}; pwd > {place}"
        script.write_text(f'set -e\n. {state}\ncd "$(cat {place})"\n{filled(command, self.values)}\n{after}\n')
        terminal, end = pty.openpty()
        try:
            os.write(terminal, "".join(f"{answer}\n" for answer in answers).encode())
            done = subprocess.run(
                ["bash", str(script)],
                stdin=end,
                stdout=subprocess.PIPE,
                stderr=subprocess.STDOUT,
                text=True,
                check=False,
                timeout=_COMMAND_SECONDS,
                env=self._environment(),
                start_new_session=True,
            )
        finally:
            os.close(terminal)
            os.close(end)
        assert done.returncode == code, f"{command}\nended with {done.returncode}:\n{done.stdout}"
        self._learn(done.stdout)
        return done.stdout

    def _learn(self, output: str) -> None:
        """What is copied from a command's output into a later one."""
        for name, value in re.findall(r"^(client id|client secret|api url) +(\S+)$", output, re.MULTILINE):
            self.values[f"<{name}>"] = value
        if found := re.search(r"https://(\w+)\.execute-api", self.values.get("<api url>", "")):
            self.values["<api url>"] = f"{self.aws.url}/_aws/execute-api/{found[1]}/api"

    def _environment(self) -> dict[str, str]:
        kept = {name: os.environ[name] for name in ("HOME", "LANG", "TMPDIR", "PIP_INDEX_URL") if name in os.environ}
        kept |= {name: value for name, value in os.environ.items() if name.startswith("PIP_")}
        path = f"{self.folder / 'bin'}{os.pathsep}{os.environ['PATH']}"
        return {**kept, "PATH": path, "AWS_CONFIG_FILE": str(self.folder / "config"), "PYTHONUNBUFFERED": "1"}

    def _write_tool(self, name: str, line: str) -> None:
        tool = self.folder / "bin" / name
        tool.write_text(f"#!/bin/sh\n{line}\n")
        tool.chmod(0o755)


def _unanswered(printed: str) -> str:
    """What the program itself prints: a terminal shows the answer, and ends the line."""
    return re.sub(r"( to go on: )\S+$", r"\1…", printed, flags=re.MULTILINE)


def _repository(folder: Path) -> Path:
    """This checkout as a repository of its own, without what the emulator cannot do."""
    folder.mkdir()
    for name in _PACKAGES:
        shutil.copytree(ROOT / name, folder / name, ignore=shutil.ignore_patterns("__pycache__"))
    for path in (folder / "infra" / "templates").glob("*.yaml"):
        path.write_text(with_defaults(strip(path.read_text(encoding="utf-8"))), encoding="utf-8")
    git = f"git -C {shlex.quote(str(folder))} -c user.name=Tests -c user.email=tests@example.com"
    ended = f"{git} init -q && {git} add -A && {git} commit -qm 'As it is'"
    subprocess.run(["bash", "-c", ended], check=True, timeout=60)
    return folder
