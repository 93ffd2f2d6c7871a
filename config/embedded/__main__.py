"""``python -m config.embedded start|stop|urls``: the embedded servers alone, for development and tests.

``make run`` does not need this: its supervisor starts both and ends them with itself.
"""

from __future__ import annotations

import json
import os
import shlex
import sys
import time
from pathlib import Path

from config.embedded.postgres import EmbeddedPostgres
from config.embedded.valkey import EmbeddedValkey


def start(data: Path) -> dict[str, str]:
    """Start what does not run, set it up, and write where it is to ``run/services.json`` (mode 600)."""
    postgres, valkey = EmbeddedPostgres(data), EmbeddedValkey(data)
    postgres.initialise()
    postgres.start()
    valkey.start()
    postgres.set_up()
    return announce(data, {**postgres.urls(), **valkey.urls()})


def announce(data: Path, urls: dict[str, str]) -> dict[str, str]:
    """Let processes started by hand find the servers (config/services.py reads this)."""
    path = data / "run" / "services.json"
    path.parent.mkdir(parents=True, exist_ok=True)
    path.touch(mode=0o600)
    path.write_text(json.dumps(urls))
    return urls


def _main(verb: str, data: Path) -> int:
    if verb == "start":
        if os.fork():
            # The servers die with whoever starts them; here that is a keeper that stays in the background.
            return _wait(data)
        os.setsid()
        start(data)
        _keep(data)
    elif verb == "stop":
        (data / "run" / "services.json").unlink(missing_ok=True)
        EmbeddedPostgres(data).stop()
        EmbeddedValkey(data).stop()
    urls = {**EmbeddedPostgres(data).urls(), **EmbeddedValkey(data).urls()}
    if verb == "urls":
        for name, value in urls.items():
            print(f"export {name}={shlex.quote(value)}")
    return 0


def _wait(data: Path) -> int:
    deadline = time.monotonic() + 90
    while time.monotonic() < deadline:
        if (data / "run" / "services.json").exists() and EmbeddedPostgres(data).answers():
            return 0
        time.sleep(0.1)
    print("The embedded servers did not start; see the logs folder.", file=sys.stderr)
    return 1


def _keep(data: Path) -> None:
    for stream in (0, 1, 2):
        os.close(stream)
    for _ in range(3):
        os.open(os.devnull, os.O_RDWR)
    while (data / "run" / "services.json").exists():
        time.sleep(1)


if __name__ == "__main__":
    if len(sys.argv) != 2 or sys.argv[1] not in {"start", "stop", "urls"}:
        sys.exit("usage: python -m config.embedded start|stop|urls   (DATA chooses the folder, default var)")
    sys.exit(_main(sys.argv[1], Path(os.environ.get("DATA", "var")).resolve()))
