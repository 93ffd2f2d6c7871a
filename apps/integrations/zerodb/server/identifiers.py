"""Ids that this server makes for callers who give none."""

import secrets


def new_vector_id() -> str:
    """``vec_`` and 16 hexadecimal digits."""
    return f"vec_{secrets.token_hex(8)}"


def new_memory_id() -> str:
    """``mem_`` and 16 hexadecimal digits."""
    return f"mem_{secrets.token_hex(8)}"
