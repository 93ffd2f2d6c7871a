"""Named places at which a test may kill the process, as a power cut would.

``STRONGROOM_CRASH_AT=provision.after_create`` kills the first process that gets there, once per data folder;
``STRONGROOM_PAUSE_AT`` stops it, as a machine does that is put to sleep, until somebody lets it go on. Only local and
test settings honour them (``CRASH_POINTS``); elsewhere a crash point is a function call that does nothing.
"""

from __future__ import annotations

import os
import signal

from django.conf import settings


def crash_point(name: str) -> None:
    """Die here, without any clean-up, or stand still, when a test asked for it."""
    if not getattr(settings, "CRASH_POINTS", False):
        return
    blows = (("STRONGROOM_PAUSE_AT", signal.SIGSTOP), ("STRONGROOM_CRASH_AT", signal.SIGKILL))
    blow = next((blow for variable, blow in blows if os.environ.get(variable) == name), None)
    if blow is None:
        return
    marker = settings.DATA / "run" / f"crashed-at-{name}"
    try:
        marker.parent.mkdir(parents=True, exist_ok=True)
        marker.touch(exist_ok=False)
    except FileExistsError:
        return
    os.kill(os.getpid(), blow)
