"""Progress of commands: a bar on a terminal, a plain line now and then elsewhere."""

from __future__ import annotations

import time
from types import TracebackType
from typing import Any

_BAR = 30
_LINE_SECONDS = 10.0
_BAR_SECONDS = 0.1


class Progress:
    """``with Progress(self.stdout, total) as progress: progress.show(done, total)``."""

    def __init__(self, out: Any, total: int, unit: str = "rows") -> None:
        self._out, self._total, self._unit = out, total, unit
        self._terminal = bool(getattr(out, "isatty", lambda: False)())
        self._began = self._shown = time.monotonic()

    def __enter__(self) -> Progress:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        if self._terminal:
            self._out.write("\r\x1b[K", ending="")

    def show(self, done: int, total: int | None = None) -> None:
        """Say how far it is, not more often than is useful."""
        total = total or self._total
        now = time.monotonic()
        if now - self._shown < (_BAR_SECONDS if self._terminal else _LINE_SECONDS) and done < total:
            return
        self._shown = now
        words = f"{done:,} of {total:,} {self._unit}{self._left(done, total, now)}"
        if self._terminal:
            filled = _BAR * done // total if total else 0
            self._out.write(f"\r{'█' * filled}{'░' * (_BAR - filled)} {words}\x1b[K", ending="")
            self._out.flush()
        elif done < total:
            self._out.write(words)

    def _left(self, done: int, total: int, now: float) -> str:
        if not done or done >= total:
            return ""
        seconds = (now - self._began) / done * (total - done)
        return f", about {seconds / 60:.0f} min left" if seconds > 90 else f", about {seconds:.0f} s left"
