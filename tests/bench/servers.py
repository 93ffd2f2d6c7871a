"""PostgreSQL and Valkey for the bench: as the product runs them, in a folder of the bench's own."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

from config import services

ROOT = Path(__file__).resolve().parent.parent.parent


def start(data: Path) -> bool:
    """Point the environment at servers. Returns whether they were started here: given ones are used as they are."""
    os.environ["DATA"] = str(data)
    if "DATABASE_URL" in os.environ:
        return False
    _control("start")
    os.environ.update(services.found(data))
    return True


def stop() -> None:
    """End what ``start`` started."""
    _control("stop")


def _control(verb: str) -> None:
    subprocess.run([sys.executable, "-m", "config.embedded", verb], check=True, cwd=ROOT)
