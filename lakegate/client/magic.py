"""`%load_ext lakegate`: a cell of SQL.

    %%lake delays :carrier=UA limit=100
    SELECT day, avg(dep_delay) FROM flights WHERE carrier = :carrier GROUP BY day

The answer's frame stands in `delays`. A parameter that is not given on the line is taken from the notebook's variable
of that name. `%lake HOME-OR-URL` connects; without it the first cell connects as `connect()` does.
"""

import re
import shlex
from typing import Any

from athena.errors import Refused
from lakegate.client.answer import LazyAnswer
from lakegate.client.lake import LakeClient

_NAME = re.compile(r"[A-Za-z_]\w*\Z")
_PARAMETER = re.compile(r"'(?:[^']|'')*'|\"(?:[^\"]|\"\")*\"|--[^\n]*|/\*.*?\*/|(?<![:\w]):([A-Za-z_]\w*)", re.DOTALL)
_SHOWN_VARIABLE = "lake"


class LakeMagic:
    """The magics of one notebook, with the lake that they ask."""

    def __init__(self, shell: Any) -> None:
        self._shell = shell
        self._lake: LakeClient | None = None

    def connect(self, line: str) -> LakeClient:
        """`%lake [HOME or URL]`: connect, and show what is there."""
        from lakegate.connecting import connect

        self._lake = connect(line.strip() or None)
        self._shell.user_ns[_SHOWN_VARIABLE] = self._lake
        return self._lake

    def ask(self, line: str, cell: str) -> LazyAnswer | None:
        """`%%lake [NAME] [:parameter=value …] [limit=N]`: ask; the frame goes into NAME, or the answer is shown."""
        name, given, limit = read_line(line)
        answer = self._found().sql(cell, self._parameters(cell, given), limit=limit).run()
        if name is None:
            return answer
        self._shell.user_ns[name] = answer.df()
        return None

    def _found(self) -> LakeClient:
        known = self._shell.user_ns.get(_SHOWN_VARIABLE)
        if isinstance(known, LakeClient):
            return known
        return self._lake or self.connect("")

    def _parameters(self, cell: str, given: dict[str, object]) -> dict[str, object]:
        found = dict(given)
        for name in parameter_names(cell):
            if name in found:
                continue
            if name not in self._shell.user_ns:
                raise Refused(
                    f"There is no variable {name!r} for :{name}.",
                    f"Set it in a cell above, or write :{name}=VALUE behind %%lake.",
                    code="parameters-invalid",
                )
            found[name] = self._shell.user_ns[name]
        return found


def read_line(line: str) -> tuple[str | None, dict[str, object], int | None]:
    """What stands behind `%%lake`.

    >>> read_line("delays << :carrier=UA :least=5 limit=10")
    ('delays', {'carrier': 'UA', 'least': 5}, 10)
    """
    from lakegate.commands.query import parse_parameter

    name: str | None = None
    given: dict[str, object] = {}
    limit: int | None = None
    for word in shlex.split(line):
        key, equals, value = word.partition("=")
        if equals and key.startswith(":"):
            given[key[1:]] = parse_parameter(value)
        elif equals and key == "limit" and value.isdigit():
            limit = int(value)
        elif _NAME.match(word) and name is None:
            name = word
        elif word != "<<":
            raise Refused(f"%%lake does not know {word!r}.", "Write %%lake [NAME] [:parameter=value] [limit=N].")
    return name, given, limit


def parameter_names(sql: str) -> tuple[str, ...]:
    """The named parameters of a statement, each once; not those in texts and comments.

    >>> parameter_names("SELECT ':no' FROM t WHERE a = :a AND b = :b OR a = :a -- :c")
    ('a', 'b')
    """
    return tuple(dict.fromkeys(match[1] for match in _PARAMETER.finditer(sql) if match[1]))


def load_ipython_extension(shell: Any) -> None:
    """What `%load_ext lakegate` does."""
    magic = LakeMagic(shell)
    shell.register_magic_function(magic.connect, "line", "lake")
    shell.register_magic_function(magic.ask, "cell", "lake")
