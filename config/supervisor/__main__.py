"""``python -m config.supervisor``: DATA and PORT choose folder and port, DEMO=0 does without demo accounts."""

from __future__ import annotations

import fcntl
import os
import signal
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from types import FrameType

from config import environment
from config.supervisor.console import GiveUp, say
from config.supervisor.supervision import Supervisor


@contextmanager
def _locked(data: Path) -> Iterator[None]:
    try:
        (data / "run").mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise GiveUp(
            f"The data folder {data} can't be made: {error.strerror}. Choose another: DATA=… make run"
        ) from None
    with (data / "run" / "supervisor.lock").open("w") as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            raise GiveUp(f"The product runs already with the data folder {data}.") from None
        yield


def _obey_signals(supervisor: Supervisor) -> None:
    def interrupt(number: int, frame: FrameType | None) -> None:
        if supervisor.stopping:
            supervisor.kill()
            return
        supervisor.stopping = True
        say("Stopping")
        raise KeyboardInterrupt

    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        if signal.getsignal(number) is not signal.SIG_IGN:  # nohup stays in force
            signal.signal(number, interrupt)


def main() -> int:
    """Run until stopped. Exit code 0 when asked to stop, 1 when the product could not run."""
    try:
        data = Path(os.environ.get("DATA", "var")).resolve()
        supervisor = Supervisor(data, environment.integer("PORT", 8000, least=1, most=65_535))
        _obey_signals(supervisor)
        with _locked(data):
            try:
                supervisor.run()
            finally:
                supervisor.stop()
    except KeyboardInterrupt:
        return 0
    except Exception as error:
        print(f"\nStrongroom stops: {error}", file=sys.stderr, flush=True)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
