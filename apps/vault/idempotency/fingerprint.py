"""Whether two requests are the same request."""

from __future__ import annotations

import hashlib

from django.http import HttpRequest

from apps.accounts.actors import Actor

_PIECE = 1 << 16


def fingerprint(request: HttpRequest, actor: Actor) -> str:
    """SHA-256 over who asks, method, address and body, as hex.

    The actor belongs to it: a key that a colleague used must not answer with what only they may see.
    Raises what reading a body raises (RequestDataTooBig, MultiPartParserError, UnreadablePostError).
    """
    digest = hashlib.sha256()
    content_type = request.content_type or ""
    for part in (actor.kind, str(actor.id), request.method or "", request.get_full_path(), content_type):
        digest.update(part.encode() + b"\0")
    if content_type == "multipart/form-data":
        _add_form(digest, request)
    else:
        digest.update(request.body)
    return digest.hexdigest()


def _add_form(digest: hashlib._Hash, request: HttpRequest) -> None:
    """Field by field: boundaries differ between two sendings of the same form, and files may be large."""
    for name, values in sorted(request.POST.lists()):
        for value in values:
            digest.update(b"field\0" + name.encode() + b"\0" + str(value).encode() + b"\0")
    for name, files in sorted(request.FILES.lists()):
        for file in files:
            digest.update(b"file\0" + name.encode() + b"\0" + str(file.name).encode() + b"\0")
            for piece in file.chunks(_PIECE):
                digest.update(piece)
            file.seek(0)
