"""What Claude models refuse and do by themselves, by family and version (platform.claude.com/docs, What's new in …)."""

from __future__ import annotations

import re
from dataclasses import dataclass

_NAME = re.compile(r"claude-(?P<family>[a-z]+)-(?P<major>\d{1,2})(?:-(?P<minor>\d{1,2}))?(?!\d)")


@dataclass(frozen=True)
class _Since:
    """The first version of a family of which it holds."""

    temperature: tuple[int, int]
    """A temperature is refused with 400."""
    thinking: tuple[int, int]
    """It thinks unless told not to, and what it thinks counts as output."""
    forcing: tuple[int, int] | None = None
    """A request that forces it to call a tool is refused with 400."""


_FAMILIES = {
    "opus": _Since(temperature=(4, 7), thinking=(5, 0), forcing=(5, 5)),
    "sonnet": _Since(temperature=(5, 0), thinking=(5, 0), forcing=(5, 5)),
    "haiku": _Since(temperature=(5, 5), thinking=(5, 5)),
    "fable": _Since(temperature=(5, 0), thinking=(5, 0), forcing=(5, 1)),
    "mythos": _Since(temperature=(5, 0), thinking=(5, 0), forcing=(5, 1)),
}


def takes_temperature(model: str) -> bool:
    """Whether it may be set. Names that we can't read are taken for models that take everything."""
    since, version = _read(model)
    return since is None or version < since.temperature


def thinks(model: str) -> bool:
    """Whether it thinks first although nobody asked for that."""
    since, version = _read(model)
    return since is not None and version >= since.thinking


def can_be_forced(model: str) -> bool:
    """Whether ``tool_choice`` may be "any" or a tool's name."""
    since, version = _read(model)
    return since is None or since.forcing is None or version < since.forcing


def _read(model: str) -> tuple[_Since | None, tuple[int, int]]:
    """Rules and version; a date after the version is no part of it."""
    found = _NAME.match(model)
    if found is None:
        return None, (0, 0)
    return _FAMILIES.get(found["family"]), (int(found["major"]), int(found["minor"] or 0))
