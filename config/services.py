"""Where the embedded servers of this data folder can be found, for processes started by hand."""

from __future__ import annotations

import json
from pathlib import Path


def found(data: Path) -> dict[str, str]:
    """``{"DATABASE_URL", "MIGRATION_DATABASE_URL", "REDIS_URL"}`` as the supervisor wrote them; {} when none do."""
    try:
        content: dict[str, str] = json.loads((data / "run" / "services.json").read_text())
    except (FileNotFoundError, json.JSONDecodeError):
        return {}
    return content


def secret(data: Path, name: str) -> str:
    """A secret that the first start made in ``$DATA/secrets``; "" when there is none."""
    try:
        return (data / "secrets" / name).read_text().strip()
    except FileNotFoundError:
        return ""
