"""``make coverage-map``: which rows of docs/requirements.md a passing test proves, and which none does.

Tests name their rows with ``@pytest.mark.covers("V-03")``. The plugin half of this module (loaded by conftest.py)
refuses a row that does not exist and writes what passed to ``var/test/covers.json``; the command half reads it.
"""

from __future__ import annotations

import json
import os
import re
import sys
from pathlib import Path
from typing import Any

import pytest

ROOT = Path(__file__).resolve().parent.parent
ROW = re.compile(r"^\| (?P<id>[A-Z]-\d\d) \| (?P<text>.+) \|$", re.MULTILINE)


def rows() -> dict[str, str]:
    """Every row of the requirements: id and words."""
    text = (ROOT / "docs" / "requirements.md").read_text()
    return {match["id"]: match["text"] for match in ROW.finditer(text)}


def results_file() -> Path:
    """What the last runs proved: ``{"node id": {"rows": [...], "passed": bool}}``."""
    return ROOT / "var" / "test" / "covers.json"


class CoversPlugin:
    """Collects the rows of each test and whether it passed."""

    def __init__(self) -> None:
        self.results: dict[str, dict[str, Any]] = {}

    def pytest_collection_modifyitems(self, items: list[pytest.Item]) -> None:
        known = rows()
        for item in items:
            named = [row for mark in item.iter_markers("covers") for row in mark.args]
            if unknown := [row for row in named if row not in known]:
                raise pytest.UsageError(
                    f"{item.nodeid} covers {', '.join(unknown)}: no such row in docs/requirements.md"
                )
            if named:
                item.user_properties.append(("covers", sorted(set(named))))

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        named = dict(report.user_properties).get("covers")
        if named:
            before = self.results.get(report.nodeid, {"passed": True})
            self.results[report.nodeid] = {"rows": named, "passed": bool(before["passed"] and report.passed)}

    def pytest_sessionfinish(self) -> None:
        if "PYTEST_XDIST_WORKER" in os.environ or not self.results:
            return
        path = results_file()
        kept = json.loads(path.read_text()) if path.exists() else {}
        kept = {test: result for test, result in kept.items() if (ROOT / test.partition("::")[0]).exists()}
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(json.dumps(kept | self.results, indent=1, sort_keys=True))


def main() -> int:
    if not results_file().exists():
        print("No results yet: run make test first.", file=sys.stderr)
        return 1
    results: dict[str, dict[str, Any]] = json.loads(results_file().read_text())
    proved = {row for result in results.values() if result["passed"] for row in result["rows"]}
    failing = {row for result in results.values() if not result["passed"] for row in result["rows"]} - proved
    everything = rows()
    for row, text in everything.items():
        if row not in proved:
            print(f"{row}  {'test fails' if row in failing else 'no test   '}  {text[:110]}")
    print(f"{len(proved & set(everything))} of {len(everything)} rows have a passing test.")
    return 0


if __name__ == "__main__":
    sys.exit(main())
