"""``python -m tests.bench``: measure each figure, print the table, write ``$DATA/bench/latest.json``.

``ONLY=A1,B1`` picks, ``SCALE=full`` takes the large data. Before each figure it waits up to ``QUIET_WAIT`` seconds
(60) until less than 12 % of the machine is used by others, and notes how much was. ``RUNS=3`` would hide a bad run, so
there is no such thing: a run whose control is out of bounds is void, and ends with code 1.
"""

from __future__ import annotations

import json
import os
import sys
import time
from collections.abc import Callable, Iterator
from dataclasses import asdict
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from tests.bench.measure import Figure
    from tests.bench.world import World

os.environ["DJANGO_SETTINGS_MODULE"] = "tests.bench.settings"
FOLDER = Path(os.environ.get("DATA", "var")).resolve() / "bench"
CONTROL_WITHIN = 0.02


def main() -> int:
    """Run the chosen figures. Exit code 1 when the control is out of bounds, 2 when a figure is missed."""
    from tests.bench import servers

    own_servers = servers.start(FOLDER)
    try:
        import django

        django.setup()
        import config.celery  # noqa: F401 - the broker of the jobs that accounts come with

        return _run()
    finally:
        if own_servers:
            servers.stop()


def _chosen() -> dict[str, Callable[[World], Iterator[Figure]]]:
    """The figures to measure, in their order. Raises SystemExit for a name that is none."""
    from tests.bench import (
        backfill,
        embedding,
        finding,
        importing,
        isolation,
        nearest,
        outbound,
        ranking,
        reading,
        searching,
        serving,
        storage,
        streaming,
        suggesting,
        tasks,
        tokens,
        writing,
    )

    known: dict[str, Callable[[World], Iterator[Figure]]] = {
        # Sizes come first: what is created later would count.
        "A5": storage.a5,
        "A5B": storage.a5b,
        "A1": reading.a1,
        "A1B": reading.a1b,
        "A2": writing.a2,
        "A3": reading.a3,
        "A4": searching.a4,
        "A4B": searching.a4b,
        "B1": isolation.b1,
        "D6": tokens.d6,
        "E7": outbound.e7,
        "G3": reading.g3,
        "G7": serving.g7,
        "M1": embedding.m1,
        "M2": embedding.m2,
        "P1": importing.p1,
        "P7": backfill.p7,
        "S1": ranking.s1,
        "SG1": suggesting.sg1,
        "S2": finding.s2,
        "T1": tasks.t1,
        "V1": nearest.v1,
        "V2": nearest.v2,
        "AI1": streaming.ai1,
        "AI2": streaming.ai2,
    }
    only = {word.strip().upper() for word in os.environ.get("ONLY", "").split(",") if word.strip()}
    if only - set(known):
        raise SystemExit(f"No such figure: {', '.join(sorted(only - set(known)))}. There are {', '.join(known)}.")
    return {name: measure for name, measure in known.items() if not only or name in only}


def _run() -> int:
    from tests.bench import machine
    from tests.bench.world import FULL, World

    chosen, wait, began = _chosen(), float(os.environ.get("QUIET_WAIT", "60")), time.monotonic()
    print("Filling the tables", flush=True)
    world = World()
    figures: list[dict[str, Any]] = []
    controls = []
    try:
        machine.wait_until_quiet(wait)
        controls.append(_control(world))
        for measure in chosen.values():
            foreign = machine.wait_until_quiet(wait)
            for figure in measure(world):
                figures.append({**asdict(figure), "foreign_cpu_percent": round(foreign, 1)})
                _tell(figure, foreign)
        machine.wait_until_quiet(wait)
        controls.append(_control(world))
    finally:
        world.close()
    void = any(abs(control - 1) > CONTROL_WITHIN for control in controls)
    report = {
        "machine": machine.describe(),
        "at": datetime.now(UTC).isoformat(),
        "scale": "full" if FULL else "default",
        "seconds": round(time.monotonic() - began),
        "control": {"ratios": controls, "void": void},
        "figures": figures,
    }
    _table(report)
    return _end(report)


def _control(world: World) -> float:
    from tests.bench import reading
    from tests.bench.measure import compare

    ours = reading.our_list(world)
    control = compare(ours, ours, times=8).value
    print(f"control A/A {control:.3f} (must be 1.00 ± {CONTROL_WITHIN})", flush=True)
    return control


def _tell(figure: Figure, foreign: float) -> None:
    parts = ", ".join(f"{name} {value}" for name, value in figure.parts.items())
    print(f"{figure.id}: {figure.value:.3f} {parts} {figure.note} [foreign CPU {foreign:.0f} %]", flush=True)


def _table(report: dict[str, Any]) -> None:
    print(f"\n{json.dumps(report['machine'])}, scale {report['scale']}, {report['seconds']} s\n")
    print("| id | figure | must | measured | bound (95 %) | A/A | |\n|---|---|---|---|---|---|---|")
    for figure in report["figures"]:
        unit = "" if figure["unit"] == "ratio" else f" {figure['unit']}"
        control = "" if figure["control"] is None else f"{figure['control']:.3f}"
        mark = "met" if figure["met"] else "MISSED"
        print(
            f"| {figure['id']} | {figure['what']} | {figure['must']}{unit} | {figure['value']:.3f} | "
            f"{figure['bound95']:.3f} | {control} | {mark} |"
        )
    print(f"| control | the list against itself, before and after | 1.00 ± {CONTROL_WITHIN} |", end="")
    print(f" {', '.join(f'{control:.3f}' for control in report['control']['ratios'])} | | | |\n")


def _end(report: dict[str, Any]) -> int:
    FOLDER.mkdir(parents=True, exist_ok=True)
    (FOLDER / "latest.json").write_text(json.dumps(report, indent=1, ensure_ascii=False))
    print(f"written to {FOLDER / 'latest.json'}")
    if report["control"]["void"]:
        print("\nVOID: a control is out of bounds, so no ratio of this run means anything.\n")
        return 1
    return 0 if all(figure["met"] for figure in report["figures"]) else 2


if __name__ == "__main__":
    sys.exit(main())
