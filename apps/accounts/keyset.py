"""Pages of a list by position, not by number: stable while rows come and go, and quick at any depth."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Generic, TypeVar

from django.db.models.fields.tuple_lookups import Tuple, TupleGreaterThan, TupleLessThan

Row = TypeVar("Row")


@dataclass(frozen=True)
class Position:
    """A place in a list: after the row with this key, or before it when ``backwards``."""

    key: tuple[Any, ...]
    backwards: bool = False


@dataclass(frozen=True)
class Page(Generic[Row]):
    """Some rows of a list, and where its neighbours begin (None at the ends)."""

    rows: list[Row]
    next: Position | None = None
    previous: Position | None = None


def newest_first(
    queryset: Any, columns: tuple[str, ...], position: Position | None, limit: int, key_of: Callable[[Any], Any]
) -> Page[Any]:
    """The ``limit`` rows at ``position``, by ``columns`` descending; the last column must make the order total.

    ``key_of`` takes a row's values of ``columns`` as a tuple.
    """
    return cut(list(beginning_at(queryset, columns, position, limit)), position, limit, key_of)


def beginning_at(queryset: Any, columns: tuple[str, ...], position: Position | None, limit: int) -> Any:
    """The rows that ``cut`` makes a page of: ``limit`` and one more from ``position`` on, in its direction."""
    backwards = position is not None and position.backwards
    if position is not None:
        queryset = queryset.filter(_beyond(columns, position))
    order = columns if backwards else [f"-{column}" for column in columns]
    return queryset.order_by(*order)[: limit + 1]


def cut(found: list[Row], position: Position | None, limit: int, key_of: Callable[[Row], Any]) -> Page[Row]:
    """A page of what was found from ``position`` on in its direction, which is one row more when there is more."""
    backwards = position is not None and position.backwards
    more, rows = len(found) > limit, found[:limit]
    if backwards:
        rows.reverse()
    if not rows:
        return Page([], *_turned(position))
    after = Position(key_of(rows[-1])) if more or backwards else None
    before = Position(key_of(rows[0]), backwards=True) if (more if backwards else position is not None) else None
    return Page(rows, after, before)


def _turned(position: Position | None) -> tuple[Position | None, Position | None]:
    """From an end that has become empty there is a way back only."""
    if position is None:
        return None, None
    turned = Position(position.key, not position.backwards)
    return (turned, None) if position.backwards else (None, turned)


def _beyond(columns: tuple[str, ...], position: Position) -> Any:
    # Compared as one row value: PostgreSQL begins at that place of the index, under row security too.
    compare = TupleGreaterThan if position.backwards else TupleLessThan
    return compare(Tuple(*columns), position.key)
