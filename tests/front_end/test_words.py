"""Values as words."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from django.template import Context, Template

from apps.accounts.templatetags.ui import initials
from apps.accounts.templatetags.words import browser, browser_icon, ends_in, people, spoken, when

NOW = datetime(2026, 11, 21, 10, 0, tzinfo=UTC)


@pytest.mark.parametrize(
    ("ago", "words"),
    [
        (timedelta(seconds=5), "Just now"),
        (timedelta(seconds=61), "1 minute ago"),
        (timedelta(minutes=59, seconds=59), "59 minutes ago"),
        (timedelta(hours=2), "Today, 08:00"),
        (timedelta(hours=11), "Yesterday, 23:00"),
        (timedelta(days=7), "14 November"),
        (timedelta(days=400), "17 October 2025"),
        (-timedelta(days=1), "Tomorrow, 10:00"),
    ],
)
def test_moments(ago: timedelta, words: str) -> None:
    assert spoken(NOW - ago, NOW) == words


def test_a_moment_is_marked_up_with_its_exact_time_and_zone() -> None:
    html = str(when(NOW))
    assert 'datetime="2026-11-21T10:00:00+00:00"' in html
    assert 'title="21 November 2026, 10:00 UTC"' in html
    assert when(None) == "Never"


def test_how_long_something_lasts(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("apps.accounts.templatetags.words.timezone.now", lambda: NOW)
    for left, words in (
        (timedelta(days=6, hours=23), "7 days"),
        (timedelta(hours=1), "1 hour"),
        (timedelta(seconds=20), "less than a minute"),
        (timedelta(days=-1), "less than a minute"),
    ):
        assert ends_in(NOW + left) == words


@pytest.mark.parametrize(
    ("agent", "words", "icon"),
    [
        ("Mozilla/5.0 (Macintosh) AppleWebKit/605 Version/26 Safari/605", "Safari on macOS", "device-laptop"),
        ("Mozilla/5.0 (Windows NT 10.0) Chrome/140 Safari/537 Edg/140", "Edge on Windows", "device-desktop"),
        ("Mozilla/5.0 (iPhone; CPU iPhone OS 26) CriOS/140 Mobile Safari/604", "Chrome on iPhone", "device-mobile"),
        ("Mozilla/5.0 (X11; Linux x86_64; rv:145.0) Gecko Firefox/145.0", "Firefox on Linux", "device-desktop"),
        ("python-httpx/1.0", "python-httpx", "world"),
        ("", "Unknown browser", "world"),
    ],
)
def test_browsers(agent: str, words: str, icon: str) -> None:
    assert (browser(agent), browser_icon(agent)) == (words, icon)


def test_people_and_initials() -> None:
    assert [people(number) for number in (0, 1, 5, 12, 13, 1200)] == [
        "No people",
        "One person",
        "Five people",
        "Twelve people",
        "13 people",
        "1,200 people",
    ]
    assert [
        initials(name) for name in ("Maya Okafor", "maya.okafor@x.example", "Zoë", "", "Harbour & Pine", "李 小龙")
    ] == [
        "MO",
        "MO",
        "ZO",
        "?",
        "HP",
        "李小",
    ]


def test_names_are_escaped_wherever_a_component_shows_them() -> None:
    page = Template(
        '{% load ui %}{% avatar x %}{% status "ok" x %}{% tile text=x %}{% copy x %}{% stat x x x %}'
        '{% callout "warn" title=x %}{% endcallout %}{% empty "mail" x %}{% endempty %}'
        "{% danger_row x x %}{% enddanger_row %}{% pager x %}{% table_head x %}{% progress x 1 2 %}{% link x x %}"
    ).render(Context({"x": '"><script>alert(1)</script>'}))
    assert "<script>alert" not in page
