"""``python -m tests.bench``: print each figure, write ``$DATA/bench/latest.json``.

``ONLY=A1,B1`` picks, ``SCALE=full`` takes the large data. Before each figure it waits up to ``QUIET_WAIT`` seconds
(60) until less than 12 % of the machine is used by others, and notes how much was.
"""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Callable, Iterator
from dataclasses import asdict
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

os.environ["DJANGO_SETTINGS_MODULE"] = "tests.bench.settings"
OUT = Path(os.environ.get("DATA", "var")).resolve() / "bench" / "latest.json"
# The servers of the tests serve the bench too, whatever DATA says where the report goes.
os.environ["DATA"] = str(Path("var/test").resolve())


def main() -> int:
    """Run the chosen figures. Exit code 1 when the control is out of bounds, 2 when a figure is missed."""
    import django

    import tests.plugin  # noqa: F401 - starts the servers

    django.setup()
    import config.celery  # noqa: F401 - the broker of the jobs that accounts come with
    from tests.bench import importing, isolation, machine, reading, storage, writing
    from tests.bench.measure import Figure, compare
    from tests.bench.world import World

    chosen: dict[str, Callable[[World], Iterator[Figure]]] = {
        "A1": reading.a1,
        "A1B": reading.a1b,
        "A2": writing.a2,
        "A3": reading.a3,
        "A5": storage.a5,
        "A5B": storage.a5b,
        "B1": isolation.b1,
        "G3": reading.g3,
        "P1": importing.p1,
    }
    only = {word.strip().upper() for word in os.environ.get("ONLY", "").split(",") if word.strip()}
    if only - set(chosen):
        print(f"No such figure: {', '.join(sorted(only - set(chosen)))}. There are {', '.join(chosen)}.")
        return 64
    wait = float(os.environ.get("QUIET_WAIT", "60"))
    world = World()
    try:
        machine.wait_until_quiet(wait)
        control = compare(lambda: reading.our_list(world), lambda: reading.our_list(world), times=8)
        print(f"control A/A {control.value:.3f} (must be 1.00 ± 0.02)")
        figures: list[dict[str, Any]] = []
        # Sizes come first: what is created later would count.
        for name in sorted(only or chosen, key=lambda name: not name.startswith("A5")):
            foreign = machine.wait_until_quiet(wait)
            for figure in chosen[name](world):
                figures.append({**asdict(figure), "foreign_cpu_percent": round(foreign, 1)})
                _print(figure, foreign)
    finally:
        world.close()
    void = abs(control.value - 1) > 0.02
    report = {
        "machine": machine.describe(),
        "at": datetime.now(UTC).isoformat(),
        "control": {"ratio": control.value, "void": void},
        "figures": figures,
    }
    OUT.parent.mkdir(parents=True, exist_ok=True)
    OUT.write_text(json.dumps(report, indent=1))
    print(f"written to {OUT}")
    if void:
        print("VOID: the control is out of bounds, so no ratio of this run means anything.")
        return 1
    return 0 if all(figure["met"] for figure in figures) else 2


def _print(figure: Any, foreign: float) -> None:
    mark = "met" if figure.met else "MISSED"
    print(
        f"{figure.id:4} {figure.value:8.3f} {figure.unit} (95 % bound {figure.upper95:.3f}, must {figure.must}) "
        f"{mark}: {figure.what} {figure.parts or ''} {figure.note} [foreign CPU {foreign:.0f} %]",
        flush=True,
    )


if __name__ == "__main__":
    sys.exit(main())
