"""The components of the pages: each exists once, here and in templates/components/.

``{% load ui %}``, then for example ``{% icon "lock" %}``, ``{% status "ok" "Connected" %}``,
``{% field form.email %}``. Names and rules: templates/components/README.md.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from functools import cache
from pathlib import Path
from typing import Any

from django import template
from django.conf import settings
from django.contrib.auth.password_validation import MinimumLengthValidator, get_default_password_validators
from django.forms import BoundField, CheckboxInput, PasswordInput, Select
from django.templatetags.static import static
from django.utils.html import format_html, html_safe
from django.utils.safestring import SafeString

register = template.Library()

STATE_ICONS = {
    "ok": "circle-check",
    "warn": "alert-triangle",
    "bad": "alert-circle",
    "run": "loader-2",
    "info": "info-circle",
    "off": "circle-minus",
    "accent": "sparkles",
}
TINTS = ("", "n", "k3", "k4")


@cache
def icon_names() -> frozenset[str]:
    """The icons of the sprite (static/vendor/icons.txt)."""
    return frozenset((Path(settings.BASE_DIR) / "static" / "vendor" / "icons.txt").read_text().split())


@register.simple_tag
def icon(name: str, size: str = "", css: str = "") -> SafeString:
    """An icon of the sprite, hidden from assistive technology. ``size``: "", "s" or "l"."""
    if name not in icon_names():
        raise template.TemplateSyntaxError(
            f"No icon {name!r}: add it to static/vendor/icons.txt, see the README there."
        )
    classes = " ".join(filter(None, ["icon", f"icon-{size}" if size else "", css]))
    return format_html(
        '<svg class="{}" aria-hidden="true"><use href="{}#{}"></use></svg>', classes, static("vendor/icons.svg"), name
    )


@register.simple_tag
def status(state: str, words: str, icon_name: str = "") -> SafeString:
    """A state pill: icon and words, colour never alone. ``state`` is a key of STATE_ICONS."""
    if state not in STATE_ICONS:
        raise template.TemplateSyntaxError(f"No state {state!r}: one of {', '.join(STATE_ICONS)}.")
    return format_html('<span class="sr-status is-{}">{}{}</span>', state, icon(icon_name or STATE_ICONS[state]), words)


@register.simple_tag
def avatar(name: str, seed: object = "", size: str = "", css: str = "") -> SafeString:
    """The initials of a person or account, tinted by ``seed`` (their id). ``size``: "", "s" or "l"."""
    classes = " ".join(filter(None, ["sr-ava", size, _tint(seed), css]))
    return format_html('<span class="{}" aria-hidden="true">{}</span>', classes, initials(name))


def initials(name: str) -> str:
    """One or two capitals: of the first and last word, or the first two letters of the only one."""
    words = [word for word in name.partition("@")[0].replace(".", " ").split() if word[0].isalnum()]
    if not words:
        return "?"
    letters = words[0][0] + words[-1][0] if len(words) > 1 else words[0][:2]
    return letters.upper()


def _tint(seed: object) -> str:
    if not seed:
        return ""
    return TINTS[hashlib.blake2b(str(seed).encode(), digest_size=1).digest()[0] % len(TINTS)]


@register.simple_tag
def tile(icon_name: str = "", text: str = "", size: str = "", accent: bool = False) -> SafeString:
    """The square sign of a thing: an icon or two letters. ``size``: "" or "s"."""
    classes = " ".join(filter(None, ["sr-tile", size, "a" if accent else ""]))
    return format_html('<span class="{}" aria-hidden="true">{}</span>', classes, icon(icon_name) if icon_name else text)


@register.inclusion_tag("components/stat.html")
def stat(label: str, value: Any, note: str = "", icon_name: str = "") -> dict[str, Any]:
    """A figure with its label and what it compares to; stands in a ``.sr-statrow``."""
    return {"label": label, "value": value, "note": note, "icon_name": icon_name}


@register.inclusion_tag("components/copy.html")
def copy(value: str, label: str = "Copy", words: str = "") -> dict[str, str]:
    """A button that copies ``value``; ``label`` names what ("Copy reply address"), ``words`` shows beside the icon."""
    return {"value": value, "label": label, "words": words}


@register.inclusion_tag("components/progress.html")
def progress(label: str, done: float, total: float | None = None, state: str = "") -> dict[str, Any]:
    """A bar of ``done`` of ``total``; without a total it only moves. ``state``: "", "warn" or "bad"."""
    return {"label": label, "done": done, "total": total, "state": state}


@register.inclusion_tag("components/chart.html")
def chart(id: str, kind: str, finding: str, data: Mapping[str, Any], size: str = "") -> dict[str, Any]:
    """A Chart.js canvas. ``finding`` is what a reader should see in it; the page also loads components/charts.html.

    ``kind``: "bar", "line" or "area". ``data``: ``{"labels": [...], "sets": [{"label", "data", "colour"?, "dash"?}],
    "stacked"?, "prefix"?, "suffix"?, "fine"?}``; ``fine`` lets the axis count in fractions. ``size``: "", "s" or "m".
    """
    return {"id": id, "kind": kind, "finding": finding, "data": data, "size": size}


@register.inclusion_tag("components/switch.html")
def switch(name: str, label: str, on: bool, url: str = "", disabled: bool = False, id: str = "") -> dict[str, Any]:
    """An on/off switch that saves by itself by POST to ``url`` (field ``name``). With an ``id`` it keeps the focus
    when the answer takes its place."""
    return {"name": name, "label": label, "on": on, "url": url, "disabled": disabled, "id": id}


@register.inclusion_tag("components/pager.html")
def pager(words: str, previous_url: str = "", next_url: str = "") -> dict[str, str]:
    """The foot of a list: what is shown, and the cursor links there are."""
    return {"words": words, "previous_url": previous_url, "next_url": next_url}


@register.inclusion_tag("components/table_head.html")
def table_head(*labels: str) -> dict[str, Any]:
    """A ``thead``. A label that begins with "!" is for assistive technology only; "#" sets it to the right."""
    return {"columns": [_Column(label) for label in labels]}


@html_safe
class _Column:
    def __init__(self, label: str) -> None:
        self.hidden, self.right, self.label = label[:1] == "!", label[:1] == "#", label.lstrip("!#")

    def __str__(self) -> str:
        return format_html('<span class="visually-hidden">{}</span>' if self.hidden else "{}", self.label)


@register.inclusion_tag("components/field.html")
def field(
    bound: BoundField, label: str = "", hint: str | None = None, aside: str = "", css: str = "", **attrs: Any
) -> dict[str, Any]:
    """A form field with label, hint and errors, tied together for assistive technology.

    ``hint`` defaults to the field's help text; "" leaves it out. ``aside`` is a link or note at the right of the
    label; further keywords become attributes of the control (``autocomplete="…"``; underscores become hyphens).
    """
    widget = bound.field.widget
    is_check = isinstance(widget, CheckboxInput)
    control = "form-check-input" if is_check else "form-select" if isinstance(widget, Select) else "form-control"
    hint = str(bound.help_text or "") if hint is None else hint
    described = [f"{bound.auto_id}_error"] if bound.errors else []
    described += [f"{bound.auto_id}_hint"] if hint else []
    given: dict[str, Any] = {
        "class": " ".join(
            filter(None, [control, "is-invalid" if bound.errors else "", css, widget.attrs.get("class")])
        ),
        "placeholder": False,
        "aria-invalid": "true" if bound.errors else False,
        "aria-describedby": " ".join(described) or False,
    }
    given |= {name.replace("_", "-"): value for name, value in attrs.items()}
    return {
        "bound": bound,
        "control": bound.as_widget(attrs=given),
        "label": label or bound.label,
        "hint": hint,
        "aside": aside,
        "is_check": is_check,
        "is_password": isinstance(widget, PasswordInput),
        "is_optional": getattr(bound.field, "is_optional", not bound.field.required and not is_check),
    }


@register.simple_tag
def link(url: str, words: str) -> SafeString:
    """A link, for handing to another component: ``{% link url "Forgot it?" as forgot %}``."""
    return format_html('<a href="{}">{}</a>', url, words)


@register.simple_tag
def password_rule() -> str:
    """What a new password must be, in one sentence, from the settings."""
    for validator in get_default_password_validators():
        if isinstance(validator, MinimumLengthValidator):
            return f"At least {validator.min_length} characters. A short sentence is strong and easy to remember."
    return "A short sentence is strong and easy to remember."


@register.simple_block_tag
def callout(content: str, state: str, title: str = "", icon_name: str = "", role: str = "") -> SafeString:
    """A sentence with its cause, in place. ``role``: "alert" for failures, "status" for what is under way."""
    return format_html(
        '<div class="sr-callout is-{}"{}>{}<div>{}{}</div></div>',
        state,
        format_html(' role="{}"', role) if role else "",
        icon(icon_name or STATE_ICONS[state]),
        format_html("<b>{}</b>", title) if title else "",
        content,
    )


@register.simple_block_tag
def empty(content: str, icon_name: str, title: str, level: int = 2) -> SafeString:
    """The empty state of a list: what it will hold, and a ``.row-f`` of at most two buttons."""
    return format_html(
        '<div class="sr-empty"><span class="art">{}</span><h{level}>{}</h{level}>{}</div>',
        icon(icon_name),
        title,
        content,
        level=level,
    )


@register.simple_block_tag
def danger_row(content: str, title: str, consequence: str) -> SafeString:
    """A row of the danger zone: the consequence in one sentence, and the button as content."""
    return format_html('<li><div class="grow"><b>{}</b><p>{}</p></div>{}</li>', title, consequence, content)
