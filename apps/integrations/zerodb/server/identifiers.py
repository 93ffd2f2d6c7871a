"""Ids that this server makes for callers who give none."""

import secrets


def new_vector_id() -> str:
    """``vec_`` and 16 hexadecimal digits."""
    return f"vec_{secrets.token_hex(8)}"


def new_memory_id() -> str:
    """``mem_`` and 16 hexadecimal digits."""
    return f"mem_{secrets.token_hex(8)}"


def new_table_id() -> str:
    """``tbl_`` and 12 hexadecimal digits."""
    return f"tbl_{secrets.token_hex(6)}"


def new_row_id() -> str:
    """``row_`` and 16 hexadecimal digits."""
    return f"row_{secrets.token_hex(8)}"


def new_event_id() -> str:
    """``evt_`` and 16 hexadecimal digits."""
    return f"evt_{secrets.token_hex(8)}"
