"""What the supervisor says."""

from __future__ import annotations

import time
from contextlib import suppress

_started = time.monotonic()


class GiveUp(RuntimeError):
    """The product can't run; the message says why."""


def show(text: str) -> None:
    """Print a line. A terminal that has been closed must not keep the rest from being ended."""
    with suppress(OSError):
        print(text, flush=True)


def say(text: str) -> None:
    """One line of progress, with the seconds since the start."""
    show(f"[{time.monotonic() - _started:5.1f} s] {text}")
