"""Kinds of jobs, declared by the app whose work it is (in its ``jobs.py``, imported at start-up)."""

from __future__ import annotations

import random
from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from apps.accounts.jobs.running import RunningJob

Handler = Callable[["RunningJob"], dict[str, Any] | None]
FailureHandler = Callable[["RunningJob", str], None]


class Retry(RuntimeError):
    """The work could not be done now; ``str(error)`` is the reason in words a customer may read.

    It is tried again ``after`` so many seconds, or as its kind says. ``at_least``: what somebody asked us to wait; how
    long its kind has waited for already counts all the same, or what asks for a second each time uses up the attempts.
    """

    def __init__(self, reason: str, *, after: float | None = None, at_least: float | None = None) -> None:
        super().__init__(reason)
        self.after, self.at_least = after, at_least or 0.0


class MakeRoom(RuntimeError):
    """Others wait: the work goes on in a moment, at the end of the line, and it counts as no attempt."""


class PermanentFailure(RuntimeError):
    """Trying again can't help; ``str(error)`` says why and what to do, in words a customer may read."""


@dataclass(frozen=True)
class JobKind:
    """How one kind of job is run. ``handler`` may be called again after a crash at any point: it must resume.

    ``on_failure(job, reason)`` tells the job's subject that the job is given up, for whatever reason: called in the
    account's scope, in the transaction that ends the job.
    """

    name: str
    handler: Handler
    max_attempts: int = 8
    base_delay: float = 2.0
    max_delay: float = 600.0
    on_failure: FailureHandler | None = None
    # For people, inside of a sentence: "import of contacts".
    label: str = ""
    # Work that somebody waits for, and that ends. Bulk work makes room for it (``RunningJob.make_room``).
    is_awaited: bool = False
    # Work without end: its messages come after all others.
    is_bulk: bool = False

    def delay_before(self, attempt: int) -> float:
        """Seconds to wait after ``attempt`` failed: exponential with full jitter, at least a fifth of the step."""
        step = min(self.max_delay, self.base_delay * 2 ** (attempt - 1))
        return step * random.uniform(0.2, 1.0)  # noqa: S311 - spreads load, keeps no secret


_kinds: dict[str, JobKind] = {}


def job_kind(
    name: str,
    *,
    label: str = "",
    max_attempts: int = 8,
    base_delay: float = 2.0,
    max_delay: float = 600.0,
    on_failure: FailureHandler | None = None,
    is_awaited: bool = False,
    is_bulk: bool = False,
) -> Callable[[Handler], Handler]:
    """Declare the decorated function as the handler of jobs of kind ``name``. Raises ValueError on a duplicate."""

    def declare(handler: Handler) -> Handler:
        if name in _kinds:
            raise ValueError(f"Two handlers for jobs of kind {name}.")
        _kinds[name] = JobKind(
            name, handler, max_attempts, base_delay, max_delay, on_failure, label, is_awaited, is_bulk
        )
        return handler

    return declare


def kind_of(name: str) -> JobKind:
    """The kind by its name. Raises LookupError."""
    try:
        return _kinds[name]
    except KeyError:
        raise LookupError(f"No job kind {name!r}; is its app's jobs module imported at start-up?") from None


def label_of(name: str) -> str:
    """What people call jobs of this kind; the name of one that is not known (any more)."""
    kind = _kinds.get(name)
    return (kind.label if kind else "") or name


def is_bulk(name: str) -> bool:
    """Whether jobs of this kind come after all others; a kind that is not known (any more) does not."""
    kind = _kinds.get(name)
    return kind is not None and kind.is_bulk


def awaited() -> list[str]:
    """The names of the kinds that somebody waits for."""
    return sorted(name for name, kind in _kinds.items() if kind.is_awaited)


def kinds() -> list[str]:
    """The names of all kinds."""
    return sorted(_kinds)
