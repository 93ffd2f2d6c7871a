"""Named places at which a test may kill the process, as a power cut would.

``STRONGROOM_CRASH_AT=provision.after_create`` kills the first process that gets there, once per data folder. Only local
and test settings honour it (``CRASH_POINTS``); elsewhere a crash point is a function call that does nothing.
"""

from __future__ import annotations

import os
import signal

from django.conf import settings


def crash_point(name: str) -> None:
    """Die here, without any clean-up, when a test asked for it."""
    if not getattr(settings, "CRASH_POINTS", False) or os.environ.get("STRONGROOM_CRASH_AT") != name:
        return
    marker = settings.DATA / "run" / f"crashed-at-{name}"
    try:
        marker.parent.mkdir(parents=True, exist_ok=True)
        marker.touch(exist_ok=False)
    except FileExistsError:
        return
    os.kill(os.getpid(), signal.SIGKILL)
