"""manage.py itself."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent.parent


def test_a_database_that_is_away_is_said_in_a_sentence(tmp_path: Path) -> None:
    away = "postgres://strongroom_app@127.0.0.1:1/strongroom"
    done = subprocess.run(
        [sys.executable, "manage.py", "verify_audit", "--all"],
        cwd=ROOT,
        env={"PATH": os.environ["PATH"], "DATA": str(tmp_path), "DATABASE_URL": away, "MIGRATION_DATABASE_URL": ""},
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert done.returncode == 1
    assert "The database can't be used: " in done.stderr
    assert "Traceback" not in done.stderr
