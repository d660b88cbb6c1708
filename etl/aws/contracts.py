"""Contracts as objects `<dataset>.toml`, which owners edit as they would edit files."""

from athena.errors import Gone, Refused
from athena.s3 import Bucket


class S3Contracts:
    """Objects below the bucket's prefix."""

    def __init__(self, bucket: Bucket) -> None:
        self._bucket = bucket

    def where(self, dataset: str) -> str:
        """The object's address."""
        return f"s3://{self._bucket.name}/{self._bucket.prefix}{dataset}.toml"

    def text(self, dataset: str) -> str | None:
        """Its text, None when there is none."""
        try:
            return self._bucket.get(f"{dataset}.toml").decode("utf-8-sig")
        except Gone:
            return None
        except UnicodeDecodeError as error:
            where = self.where(dataset)
            raise Refused(f"{where} is not UTF-8: {error}.", "Save it as UTF-8.", code="contract-invalid") from error

    def save(self, dataset: str, text: str) -> None:
        """Put the object."""
        self._bucket.put(f"{dataset}.toml", text.encode())
