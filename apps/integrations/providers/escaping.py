"""What accounts and services type, as a part of an address: escaped, so that it stays in its place."""

from __future__ import annotations

from urllib.parse import quote

from apps.integrations.outbound.errors import BadRequest


def segment(value: str) -> str:
    """``value`` as one segment of a path. Raises BadRequest for one that means another place ("", ".", "..")."""
    if value in {"", ".", ".."} or not value.isprintable():
        raise BadRequest("An id that can't be part of an address.")
    return quote(value, safe="~")


def key_path(key: str) -> str:
    """The key of a file as a path; the slashes in it stay. Raises BadRequest for one that leads elsewhere."""
    return "/".join(segment(part) for part in key.split("/"))
