"""Refresh or check the pinned front-end files in static/vendor (see the README there).

Exit code 0 when every file is as the lock says, 1 otherwise.
"""

from __future__ import annotations

import argparse
import hashlib
import json
import re
import subprocess
import sys
import tarfile
import tempfile
from pathlib import Path
from typing import Any

VENDOR = Path(__file__).resolve().parent.parent / "static" / "vendor"
LOCK = VENDOR / "vendor.lock.json"
ICONS = VENDOR / "icons.txt"
SOURCE_MAP = re.compile(rb"\n?(//# sourceMappingURL=\S+|/\*# sourceMappingURL=\S+ \*/)\s*$")
ICON_BODY = re.compile(r"<svg[^>]*>(.*)</svg>", re.DOTALL)


def read_lock() -> dict[str, Any]:
    """The lock: ``{"packages": [{name, version, licence, use, files: {target: {source, sha256}}}]}``."""
    lock: dict[str, Any] = json.loads(LOCK.read_text())
    return lock


def differences() -> list[str]:
    """What in static/vendor is not as the lock says, one sentence each."""
    found = []
    named = {LOCK.name, ICONS.name, "README.md"}
    for package in read_lock()["packages"]:
        for target, entry in package["files"].items():
            named.add(target)
            path = VENDOR / target
            if not path.is_file():
                found.append(f"{target} of {package['name']} is missing.")
            elif hashlib.sha256(path.read_bytes()).hexdigest() != entry.get("sha256"):
                found.append(f"{target} is not the file of {package['name']} {package['version']}.")
    present = {str(path.relative_to(VENDOR)) for path in VENDOR.rglob("*") if path.is_file()}
    return found + [f"{name} is not in the lock." for name in sorted(present - named)]


def refresh() -> None:
    """Fetch every package of the lock, write its files, write their hashes into the lock."""
    lock = read_lock()
    with tempfile.TemporaryDirectory() as folder:
        for number, package in enumerate(lock["packages"]):
            print(f"{package['name']} {package['version']}", flush=True)
            unpacked = fetch(package, Path(folder) / str(number))
            for target, entry in package["files"].items():
                content = sprite(unpacked) if "*" in entry["source"] else (unpacked / entry["source"]).read_bytes()
                content = SOURCE_MAP.sub(b"\n", content) if target.endswith((".css", ".js")) else content
                (VENDOR / target).parent.mkdir(parents=True, exist_ok=True)
                (VENDOR / target).write_bytes(content)
                entry["sha256"] = hashlib.sha256(content).hexdigest()
    LOCK.write_text(json.dumps(lock, indent=2, ensure_ascii=False) + "\n")


def fetch(package: dict[str, Any], folder: Path) -> Path:
    """Download one package with the ordinary npm client; the folder it was unpacked into."""
    folder.mkdir()
    wanted = f"{package['name']}@{package['version']}"
    subprocess.run(["npm", "pack", "--silent", wanted], cwd=folder, check=True, stdout=subprocess.DEVNULL)
    (archive,) = folder.glob("*.tgz")
    with tarfile.open(archive) as tar:
        tar.extractall(folder, filter="data")
    return folder / "package"


def sprite(icons: Path) -> bytes:
    """One SVG with a symbol for each name in icons.txt."""
    names = ICONS.read_text().split()
    if names != sorted(set(names)):
        raise SystemExit("icons.txt is not sorted, or names an icon twice.")
    symbols = []
    for name in names:
        match = ICON_BODY.search((icons / "icons" / "outline" / f"{name}.svg").read_text())
        assert match, f"{name} is not an SVG"
        body = re.sub(r"\s*\n\s*", "", match[1]).replace('<path stroke="none" d="M0 0h24v24H0z" fill="none" />', "")
        # On each symbol, because what refers to a symbol does not inherit from the sprite around it.
        look = 'fill="none" stroke="currentColor" stroke-linecap="round" stroke-linejoin="round"'
        symbols.append(f'<symbol id="{name}" viewBox="0 0 24 24" {look}>{body}</symbol>')
    return "\n".join(['<svg xmlns="http://www.w3.org/2000/svg">', *symbols, "</svg>", ""]).encode()


def main() -> int:
    """Command line."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--check", action="store_true", help="only compare files with the lock")
    if not parser.parse_args().check:
        refresh()
    for sentence in (found := differences()):
        print(sentence, file=sys.stderr)
    return 1 if found else 0


if __name__ == "__main__":
    raise SystemExit(main())
