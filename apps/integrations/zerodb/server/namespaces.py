"""Namespaces: absent, null, empty or blank is ``default``; made by first use; case matters."""

from __future__ import annotations

import re

from apps.integrations.zerodb.server.fields import Fields

DEFAULT_NAMESPACE = "default"
# The wider of the two rules in the vendor's papers: no slash, so nothing that could be a path.
_ALLOWED = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,127}", re.ASCII)


def read_namespace(fields: Fields, name: str = "namespace") -> str:
    """The namespace of a request, trimmed. Notes INVALID_NAMESPACE in ``fields`` when it is not one."""
    _, value = fields.raw(name)
    if value is None:
        return DEFAULT_NAMESPACE
    if not isinstance(value, str):
        fields.fail(name, "Namespace must be a string", "string_type", code="INVALID_NAMESPACE")
        return DEFAULT_NAMESPACE
    namespace = value.strip()
    if not namespace:
        return DEFAULT_NAMESPACE
    if not _ALLOWED.fullmatch(namespace):
        fields.fail(
            name,
            f"Invalid namespace '{namespace[:130]}': 1 to 128 letters, digits, '_', '-' or '.', "
            "beginning with a letter or digit",
            code="INVALID_NAMESPACE",
        )
    return namespace
