"""That requirements/*.txt lock what requirements/*.in ask for, and that every direct one has its line of reason."""

from __future__ import annotations

import re
from importlib import metadata
from pathlib import Path

from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

ROOT = Path(__file__).resolve().parent.parent.parent
PIN = re.compile(r"^(?P<name>[A-Za-z0-9._-]+)(\[[^]]*])?==(?P<version>[^\s;\\]+)")


def faults() -> list[str]:
    """Requirements without a pin, pins outside of what is asked, pins without hash, dev and base that disagree."""
    found: list[str] = []
    locks = {name: _pins(name) for name in ("base", "local-llm", "dev")}
    for name, pins in locks.items():
        for requirement in _asked(name):
            version = pins.get(canonicalize_name(requirement.name))
            if version is None or not requirement.specifier.contains(version):
                found.append(f"requirements/{name}.txt does not lock {requirement}: run make lock")
        found += _without_hash(name)
    for package, version in locks["base"].items():
        if locks["dev"].get(package) != version:
            found.append(
                f"{package} is {version} in base.txt and {locks['dev'].get(package)} in dev.txt: run make lock"
            )
    return found + _not_installed(locks["dev"]) + _without_reason()


def _lines(name: str) -> list[str]:
    return (ROOT / "requirements" / name).read_text().splitlines()


def _asked(name: str) -> list[Requirement]:
    lines = (line.partition("#")[0].strip() for line in _lines(f"{name}.in"))
    return [Requirement(line) for line in lines if line and not line.startswith("-")]


def _pins(name: str) -> dict[str, str]:
    matches = (PIN.match(line) for line in _lines(f"{name}.txt"))
    return {canonicalize_name(match["name"]): match["version"] for match in matches if match}


def _without_hash(name: str) -> list[str]:
    blocks = re.split(r"^(?=[A-Za-z0-9])", "\n".join(_lines(f"{name}.txt")), flags=re.MULTILINE)
    return [
        f"requirements/{name}.txt: {block.split()[0]} has no hash"
        for block in blocks
        if PIN.match(block) and "--hash=sha256:" not in block
    ]


def _not_installed(pins: dict[str, str]) -> list[str]:
    installed = {canonicalize_name(d.metadata["Name"]): d.version for d in metadata.distributions()}
    return [
        f"{package} {installed.get(package, 'is missing')} is installed, {version} is locked: run make"
        for package, version in pins.items()
        if package in installed and installed[package] != version
    ]


def _without_reason() -> list[str]:
    text = (ROOT / "docs" / "dependencies.md").read_text()
    names = {canonicalize_name(name) for name in re.findall(r"`([A-Za-z0-9._-]+)", text)}
    return [
        f"docs/dependencies.md has no line for {requirement.name}"
        for name in ("base", "local-llm", "dev")
        for requirement in _asked(name)
        if canonicalize_name(requirement.name) not in names
    ]
