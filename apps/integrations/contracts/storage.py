"""Files in a store of the account's own."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Literal, Protocol


@dataclass(frozen=True, kw_only=True)
class StoredFile:
    """A file in the store. ``size`` in bytes; ``content`` only of ``get``."""

    key: str
    size: int
    content_type: str = ""
    etag: str = ""
    content: bytes = field(default=b"", repr=False)


class Storage(Protocol):
    """What clients of the category offer. Keys are paths with ``/``, without one at the start."""

    def put(self, key: str, content: bytes, *, content_type: str) -> StoredFile:
        """Write the file; what was there is replaced. Raises OutboundError."""

    def get(self, key: str) -> StoredFile:
        """Read the file. Raises OutboundError; Missing when there is none."""

    def presign(self, key: str, *, seconds: int, method: Literal["GET", "PUT"] = "GET") -> str:
        """An address under which anybody may read (or write) the file for a while. Calls nobody."""

    def delete(self, key: str) -> None:
        """Remove the file; one that is not there is no error. Raises OutboundError."""
