"""What one job is to load, as a value: more keys than fit into a job's arguments. Pure."""

from dataclasses import dataclass

from athena.records import decode, encode


@dataclass(frozen=True, slots=True)
class Manifest:
    """Keys of one dataset that somebody heard of."""

    dataset: str
    keys: tuple[str, ...]


def manifest_content(manifest: Manifest) -> bytes:
    """The manifest as it is kept.

    >>> read_manifest(manifest_content(Manifest("flights", ("flights/may.csv",))))
    Manifest(dataset='flights', keys=('flights/may.csv',))
    """
    return encode(manifest)


def read_manifest(content: bytes) -> Manifest:
    """The manifest that `manifest_content` made."""
    return decode(Manifest, content)
