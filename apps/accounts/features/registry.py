"""What features there are. Each floor declares its own at start-up."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from uuid import UUID

from apps.accounts.models.feature import Stage


class UnknownFeature(LookupError):
    """Nobody declared a feature of that name."""


@dataclass(frozen=True)
class Need:
    """Something an account must have before a feature can work, whatever is switched on.

    ``code`` is for programs ("needs_project"), ``words`` end a sentence ("needs the AI project, which is not ready").
    ``met`` is asked in the account's scope; whoever changes its answer calls ``forget_account``.
    """

    code: str
    words: str
    met: Callable[[UUID], bool]


@dataclass(frozen=True)
class Feature:
    """One feature. ``stage`` is where the product ships it, ``page`` the URL name of the page with its switch.

    ``used`` answers, in the account's scope, what became of it this month ("412 searches this month").
    """

    name: str
    label: str
    description: str
    icon: str = "sparkles"
    page: str = ""
    stage: Stage = Stage.ON
    percent: int = 0
    needs: Need | None = None
    used: Callable[[], str] | None = None


_features: dict[str, Feature] = {}


def declare(*declared: Feature) -> None:
    """Add features; AppConfig.ready() calls this. Raises ValueError on two different ones of one name."""
    for one in declared:
        if _features.setdefault(one.name, one) != one:
            raise ValueError(f"Two features are called {one.name}.")


def feature(name: str) -> Feature:
    """The feature of that name. Raises UnknownFeature."""
    try:
        return _features[name]
    except KeyError:
        raise UnknownFeature(f"No feature {name!r} is declared.") from None


def features(page: str = "") -> list[Feature]:
    """All features, or those whose switches are on one page, in the order they were declared."""
    return [one for one in _features.values() if not page or one.page == page]
