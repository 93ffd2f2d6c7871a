"""Values as the words people read: moments, browsers."""

from __future__ import annotations

import re
from datetime import date, datetime

from django import template
from django.utils import timezone
from django.utils.formats import date_format
from django.utils.html import format_html
from django.utils.safestring import SafeString

register = template.Library()

# In the order in which they must be tried: most browsers also name those they descend from.
_BROWSERS = (
    ("Edg", "Edge"),
    ("OPR/", "Opera"),
    ("SamsungBrowser", "Samsung Internet"),
    ("Firefox", "Firefox"),
    ("FxiOS", "Firefox"),
    ("CriOS", "Chrome"),
    ("Chrome", "Chrome"),
    ("Safari", "Safari"),
    ("curl", "curl"),
)
_SYSTEMS = (
    ("iPhone", "iPhone", "device-mobile"),
    ("iPad", "iPad", "device-tablet"),
    ("Android", "Android", "device-mobile"),
    ("Windows", "Windows", "device-desktop"),
    ("Macintosh", "macOS", "device-laptop"),
    ("CrOS", "ChromeOS", "device-laptop"),
    ("Linux", "Linux", "device-desktop"),
)

_NUMBERS = ("No", "One", "Two", "Three", "Four", "Five", "Six", "Seven", "Eight", "Nine", "Ten", "Eleven", "Twelve")


@register.filter
def browser(user_agent: str) -> str:
    """ "Safari on macOS" from a User-Agent header; "Unknown browser" when it says nothing we know."""
    name = next((name for mark, name in _BROWSERS if mark in user_agent), "")
    system = next((name for mark, name, _ in _SYSTEMS if mark in user_agent), "")
    if not name:
        return re.split(r"[/ (]", user_agent.strip(), maxsplit=1)[0] or "Unknown browser"
    return f"{name} on {system}" if system else name


@register.filter
def browser_icon(user_agent: str) -> str:
    """The icon of the device a User-Agent header names."""
    return next((icon for mark, _, icon in _SYSTEMS if mark in user_agent), "world")


@register.simple_tag
def when(moment: datetime | None, never: str = "Never", inside: bool = False) -> SafeString | str:
    """A moment as people say it, in the reader's zone: "2 minutes ago", "Today, 08:47", "14 November".

    ``inside`` of a sentence it begins with a small letter.
    """
    if moment is None:
        return never
    local = timezone.localtime(moment)
    words = spoken(local, timezone.localtime())
    return format_html(
        '<time datetime="{}" title="{}">{}</time>',
        moment.isoformat(timespec="seconds"),
        f"{date_format(local, 'j F Y, H:i')} {local.tzname()}",
        lower_first(words) if inside else words,
    )


def spoken(moment: datetime, now: datetime) -> str:
    """``moment`` relative to ``now``, both in the reader's zone; exact where an hour or a day matters."""
    seconds = (now - moment).total_seconds()
    if 0 <= seconds < 60:
        return "Just now"
    if 0 <= seconds < 3600:
        return _count(int(seconds // 60), "minute") + " ago"
    clock = date_format(moment, "H:i")
    days = (now.date() - moment.date()).days
    named = {0: "Today", 1: "Yesterday", -1: "Tomorrow"}.get(days)
    if named:
        return f"{named}, {clock}"
    return date_format(moment, "j F" if moment.year == now.year else "j F Y")


@register.simple_tag
def day_name(day: date) -> str:
    """A day of the reader's calendar: "Today", "Yesterday", "Friday 20 November"."""
    today = timezone.localdate()
    named = {0: "Today", 1: "Yesterday"}.get((today - day).days)
    return named or date_format(day, "l j F" if day.year == today.year else "l j F Y")


@register.filter
def ends_in(moment: datetime) -> str:
    """How long until ``moment``: "5 days", "3 hours", "1 minute"."""
    seconds = max(0, int((moment - timezone.now()).total_seconds()))
    for size, unit in ((86400, "day"), (3600, "hour"), (60, "minute")):
        if seconds >= size:
            return _count(round(seconds / size), unit)
    return "less than a minute"


def _count(number: int, unit: str) -> str:
    return f"{number} {unit}" if number == 1 else f"{number} {unit}s"


@register.filter
def thousands(number: int) -> str:
    """ "12,846"."""
    return f"{number:,}"


@register.filter
def people(number: int) -> str:
    """A number of people in words up to twelve: "Five people", "One person"."""
    words = ["No", "One", "Two", "Three", "Four", "Five", "Six", "Seven", "Eight", "Nine", "Ten", "Eleven", "Twelve"]
    word = words[number] if number < len(words) else f"{number:,}"
    return f"{word} person" if number == 1 else f"{word} people"


@register.filter
def first_word(name: str) -> str:
    """What a person is greeted by."""
    return name.split()[0] if name.split() else name


@register.filter
def lower_first(sentence: str) -> str:
    """A sentence's beginning inside of another sentence."""
    return sentence[:1].lower() + sentence[1:]
