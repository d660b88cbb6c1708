"""Everything that Lakegate raises on purpose.

One class per reaction of the caller::

    LakegateError            message, remedy, code
    ├── Refused              the request or file is wrong: mend it and come again
    │   ├── SqlRefused       a statement that cannot be read or is not answered; says where
    │   ├── NotFound         denied, absent or hidden: one answer for all three
    │   ├── Gone             a handle, page or link that was valid once
    │   ├── Unauthenticated  no valid credentials
    │   └── LimitExceeded    too much or too often: wait, then come again
    ├── Failed               it went wrong here, nothing was changed: worth a retry
    │   └── Busy             no room at the moment: come again after `retry_after_seconds`
    ├── OutcomeUnknown       it may or may not have happened: resolve before anything is removed
    └── Damaged              stored state contradicts itself: `lakegate doctor` comes next

Only `Refused` may be followed by a clean-up of files.
"""


class LakegateError(Exception):
    """What happened (`message`, with the values), what to do now (`remedy`), and a stable `code`."""

    code = "internal"

    def __init__(self, message: str, remedy: str, *, code: str | None = None) -> None:
        super().__init__(message)
        self.message = message
        self.remedy = remedy
        if code is not None:
            self.code = code

    def __str__(self) -> str:
        return f"{self.message} {self.remedy}".strip()

    def __reduce__(self) -> tuple[object, ...]:
        # Errors travel between processes; an exception would be made anew of its message alone.
        return (_rebuilt, (type(self), self.message, self.remedy), self.__dict__)


class Refused(LakegateError):
    """The input is wrong for sure; nothing was changed."""

    code = "refused"


class SqlRefused(Refused):
    """The statement is wrong at `line` and `column` (1-based; None where no place can be named)."""

    code = "sql-unsupported"

    def __init__(
        self, message: str, remedy: str, *, code: str | None = None, line: int | None = None, column: int | None = None
    ) -> None:
        super().__init__(message, remedy, code=code)
        self.line = line
        self.column = column


class NotFound(Refused):
    """Denied, absent or hidden: the text never tells which."""

    code = "not-found"


class Gone(Refused):
    """Was valid once: an older grant's handle, an expired result or link."""

    code = "gone"


class Unauthenticated(Refused):
    """No credentials, or none that hold."""

    code = "unauthenticated"


class LimitExceeded(Refused):
    """A limit of the caller is used up; `retry_after_seconds` says when to come again, `most_a_minute` is the limit
    when it is one on the rate."""

    code = "limit-exceeded"

    def __init__(
        self,
        message: str,
        remedy: str,
        *,
        code: str | None = None,
        retry_after_seconds: int = 1,
        most_a_minute: int | None = None,
    ) -> None:
        super().__init__(message, remedy, code=code)
        self.retry_after_seconds = retry_after_seconds
        self.most_a_minute = most_a_minute


class Failed(LakegateError):
    """It went wrong on our side before anything changed; the same call may succeed later."""

    code = "failed"


class Busy(Failed):
    """No capacity right now; `retry_after_seconds` says when to come again."""

    code = "busy"

    def __init__(self, message: str, remedy: str, *, code: str | None = None, retry_after_seconds: int = 1) -> None:
        super().__init__(message, remedy, code=code)
        self.retry_after_seconds = retry_after_seconds


class OutcomeUnknown(LakegateError):
    """The step may have happened; whoever comes next resolves it before doing anything else."""

    code = "outcome-unknown"


class Damaged(LakegateError):
    """Stored state cannot be read or contradicts itself."""

    code = "damaged"


def _rebuilt(kind: type[LakegateError], message: str, remedy: str) -> LakegateError:
    return kind(message, remedy)
