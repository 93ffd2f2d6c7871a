"""The common case in one line: reserve, do, settle."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from decimal import Decimal
from typing import Any
from uuid import UUID

from apps.accounts.actors import Actor
from apps.accounts.crash_points import crash_point
from apps.accounts.metering.lines import CALLS, Line
from apps.accounts.metering.reserving import LASTS, reserve
from apps.accounts.metering.settling import Settled, release, settle
from apps.accounts.models import Reservation


class Use:
    """What is being used. ``settled`` is there after the block: what it came to."""

    def __init__(self, reservation: Reservation, expected: tuple[Line, ...]) -> None:
        self.reservation = reservation
        self.settled: Settled | None = None
        self._expected, self._used = expected, list[Line]()
        self._nothing_done = False
        self._ok = True

    @property
    def repeated(self) -> bool:
        """Whether work with this idempotency key was settled before: what is done again is not counted again."""
        return self.reservation.state == Reservation.State.SETTLED

    def add(self, unit: str, quantity: Decimal | int | float = 1, item: str = "") -> None:
        """Say what was really used. Once anything is said, it stands in place of what was expected."""
        self._used.append(Line(unit, quantity, item))

    def failed(self) -> None:
        """Count the work as an error although the block ends without an exception."""
        self._ok = False

    def nothing_done(self) -> None:
        """The work did not happen: give the room back and count nothing."""
        self._nothing_done = True

    def _finish(self, *, ok: bool, duration_ms: int) -> None:
        if self._nothing_done:
            release(self.reservation)
            return
        ok = ok and self._ok
        lines = self._used or [line for line in self._expected if ok or line.unit == CALLS]
        self.settled = settle(self.reservation, *lines, ok=ok, duration_ms=duration_ms)
        crash_point("metering.after_settle")


@contextmanager
def metered(
    source: str,
    *expected: Line,
    subject: UUID | None = None,
    actor: Actor | None = None,
    account: Any = None,
    api_key_id: UUID | None = None,
    idempotency_key: str = "",
    lasts: timedelta = LASTS,
) -> Iterator[Use]:
    """Reserve what is ``expected`` at most, do the work in the block, count what was used.

    ``with metered("integrations", Line("calls", 1, "stripe"), subject=row.id, actor=actor) as use:``

    Without ``use.add(…)`` the expected lines are counted; when the block raises, only its calls are, as an error.
    Raises LimitReached, PriceUnknown before the block is entered.
    """
    reservation = reserve(
        source,
        *expected,
        subject=subject,
        actor=actor,
        account=account,
        api_key_id=api_key_id,
        idempotency_key=idempotency_key,
        lasts=lasts,
    )
    crash_point("metering.after_reserve")
    use, began = Use(reservation, expected), time.monotonic()
    try:
        yield use
    except BaseException:
        use._finish(ok=False, duration_ms=_since(began))
        raise
    use._finish(ok=True, duration_ms=_since(began))


def _since(began: float) -> int:
    return round((time.monotonic() - began) * 1000)
