"""Where Athena runs our queries, and what one result may have. Pure."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Workgroup:
    """Where queries run. Its result location must be enforced and be the bucket of the results.

    `cutoffs` are further ones, by the bytes at which each stops a query: Athena then looks for itself, at once.
    """

    name: str
    database: str
    catalog: str = "AwsDataCatalog"
    cutoffs: tuple[tuple[int, str], ...] = ()

    def name_for(self, most_bytes: int | None) -> str:
        """The one that stops at the most that a query may scan, or nearest below it, or as early as there is one.

        >>> groups = Workgroup("all", "lake", cutoffs=((10**9, "1gb"), (10**10, "10gb")))
        >>> [groups.name_for(most) for most in (None, 10**10, 5 * 10**9, 10**6)]
        ['all', '10gb', '1gb', '1gb']
        """
        if most_bytes is None or not self.cutoffs:
            return self.name
        below = [one for one in self.cutoffs if one[0] <= most_bytes]
        return max(below)[1] if below else min(self.cutoffs)[1]


@dataclass(frozen=True, slots=True)
class Limits:
    """What a result may have: rows on its first page, bytes in all."""

    page_rows: int = 1000
    result_bytes: int = 4 * 1024**3


USUAL = Limits()
