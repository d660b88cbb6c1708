"""The named steps of one commit, in their order: where a test may kill or fail it."""

COMMIT = (
    "claimed",
    "planned",
    "intended",
    "committed",
    "contract",
    "rejects",
    "reported",
    "recorded",
    "told",
    "published",
)
