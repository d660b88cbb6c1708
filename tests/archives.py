"""Archives for tests."""

import gzip
import io
import zipfile
from collections.abc import Mapping


def zip_of(members: Mapping[str, str | bytes]) -> bytes:
    """A zip with these members, in this order."""
    stream = io.BytesIO()
    with zipfile.ZipFile(stream, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in members.items():
            archive.writestr(name, content)
    return stream.getvalue()


def gz_of(content: str | bytes) -> bytes:
    """The content, gzipped."""
    return gzip.compress(content.encode() if isinstance(content, str) else content)
