"""The admin's first page: what needs a person, how much there is, how it went. Each floor adds its part."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from django.http import HttpRequest


@dataclass(frozen=True)
class Attention:
    """Something that waits for a person. ``kind`` is ``danger`` or ``warning``; ``word`` stands in the pill."""

    title: str
    words: str
    word: str
    url: str
    kind: str = "danger"


@dataclass(frozen=True)
class Figure:
    """A number, what it counts, and a note that puts it in proportion."""

    label: str
    value: str
    note: str = ""
    url: str = ""


@dataclass(frozen=True)
class Chart:
    """``finding`` says in words what the picture shows (it is the picture's name for screen readers).

    ``kind`` is ``bar`` or ``line``; ``series`` maps a name to its numbers, one for each of ``labels`` (whose
    heading in the table is ``first``); ``colours`` names a CSS variable for each series.
    """

    title: str
    finding: str
    labels: list[str]
    series: Mapping[str, Sequence[float]]
    kind: str = "bar"
    stacked: bool = False
    first: str = "Day"
    colours: tuple[str, ...] = ("--sa-c1", "--sa-c2", "--sa-c3", "--sa-c4")

    @property
    def data(self) -> dict[str, Any]:
        """What Chart.js draws."""
        return {"labels": self.labels, "datasets": [self._dataset(at, name) for at, name in enumerate(self.series)]}

    def _dataset(self, at: int, name: str) -> dict[str, Any]:
        colour = f"var({self.colours[at % len(self.colours)]})"
        shared = {"label": name, "data": self.series[name], "backgroundColor": colour, "borderColor": colour}
        if self.kind == "line":
            return {**shared, "borderWidth": 2, "pointRadius": 0, "pointHitRadius": 12, **_SMOOTH}
        return {**shared, "borderRadius": 3, "maxBarThickness": 28}

    @property
    def options(self) -> dict[str, Any]:
        """How Chart.js draws it."""
        by_day = self.first == "Day"  # days may be skipped where there is no room, names may be turned
        # Whole things are counted in ones; a small amount of money would lie flat under "1".
        counted = {"precision": 0} if all(isinstance(one, int) for row in self.series.values() for one in row) else {}
        ticks = {"color": "#7d8c90", "maxRotation": 0 if by_day else 45, "autoSkipPadding": 12, "autoSkip": by_day}
        return {
            "responsive": True,
            "maintainAspectRatio": False,
            "animation": False,
            "interaction": {"mode": "index", "intersect": False},
            "plugins": {"legend": {"display": len(self.series) > 1, "align": "start", "labels": _LEGEND}},
            "scales": {
                "x": {"stacked": self.stacked, "grid": {"display": False}, "ticks": ticks},
                "y": {
                    "stacked": self.stacked,
                    "beginAtZero": True,
                    "border": {"display": False},
                    "grid": {"color": "#7d8c90"},
                    "ticks": {**ticks, **counted, "maxTicksLimit": 6},
                },
            },
        }

    @property
    def rows(self) -> list[tuple[str, list[float]]]:
        """The same as a table."""
        return [(label, [numbers[at] for numbers in self.series.values()]) for at, label in enumerate(self.labels)]


# Between a day without and one with, a loose curve would dip below nothing.
_SMOOTH = {"tension": 0.3, "cubicInterpolationMode": "monotone"}
_LEGEND = {"color": "#7d8c90", "boxWidth": 10, "boxHeight": 10, "useBorderRadius": True, "borderRadius": 3}


@dataclass(frozen=True)
class Part:
    """What one floor has to say. Each function is called in the platform scope when the page is shown."""

    order: int
    attention: Callable[[], Iterable[Attention]] = field(default=lambda: ())
    figures: Callable[[], Iterable[Figure]] = field(default=lambda: ())
    charts: Callable[[], Iterable[Chart]] = field(default=lambda: ())


_parts: list[Part] = []


def add_part(part: Part) -> None:
    """Add a floor's part to the dashboard; an app's admin package does this once."""
    _parts.append(part)
    _parts.sort(key=lambda known: known.order)


def dashboard(request: HttpRequest, context: dict[str, Any]) -> dict[str, Any]:
    """Unfold's callback: the template's context."""
    attention = [item for part in _parts for item in part.attention()]
    return {
        **context,
        "title": "Dashboard",
        "attention": sorted(attention, key=lambda item: item.kind != "danger"),
        "figures": [figure for part in _parts for figure in part.figures()],
        "charts": [chart for part in _parts for chart in part.charts()],
    }
