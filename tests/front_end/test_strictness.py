"""The pages can run under a strict policy: nothing inline, nothing from elsewhere, no icon that is not there."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from django.template import Context, Template, TemplateSyntaxError
from django.template.loader import get_template
from django.test import Client

from apps.accounts.pages.policy import HEADER, STRICT

ROOT = Path(__file__).resolve().parents[2]
TEMPLATES = sorted((ROOT / "templates").rglob("*.html"))
SCRIPTS = sorted((ROOT / "static" / "js").rglob("*.js"))
ICONS = set((ROOT / "static" / "vendor" / "icons.txt").read_text().split())


@pytest.mark.parametrize("path", TEMPLATES, ids=lambda path: str(path.relative_to(ROOT / "templates")))
def test_a_template_compiles_and_has_nothing_inline(path: Path) -> None:
    text = path.read_text()
    get_template(str(path.relative_to(ROOT / "templates")))
    assert not re.search(r"<script(?![^>]*\bsrc=)", text), "inline script"
    assert not re.search(r"<style\b|\sstyle=", text), "inline style"
    assert not re.search(r"\son[a-z]+=\"", text), "event handler in an attribute"
    assert not re.search(r"hx-on|hx-vals=.js:|javascript:", text), "script in an attribute"
    assert not re.search(r"(src|href)=\"(https?:)?//", text), "something from another server"
    if "components" not in path.parts:
        assert "<svg" not in text, "icons come from {% icon %}"
        assert "sr-status" not in text, "states come from {% status %}"


@pytest.mark.parametrize("path", TEMPLATES, ids=lambda path: str(path.relative_to(ROOT / "templates")))
def test_icons_named_in_a_template_are_in_the_sprite(path: Path) -> None:
    text = path.read_text()
    named = re.findall(r'\{% (?:icon|tile|empty) "([\w-]+)"', text) + re.findall(r'icon_name="([\w-]+)"', text)
    assert set(named) <= ICONS


def test_icons_named_in_code_are_in_the_sprite() -> None:
    from apps.accounts.pages.registry import Command, Section, registered
    from apps.accounts.templatetags.ui import STATE_ICONS
    from apps.accounts.templatetags.words import _SYSTEMS

    named = {entry.icon for entry in [*registered(Section), *registered(Command)]}
    named |= set(STATE_ICONS.values()) | {icon for _, _, icon in _SYSTEMS}
    assert named <= ICONS


def test_an_unknown_icon_or_state_is_an_error_and_not_a_hole() -> None:
    for text in ('{% load ui %}{% icon "no-such" %}', '{% load ui %}{% status "great" "Fine" %}'):
        with pytest.raises(TemplateSyntaxError):
            Template(text).render(Context())


@pytest.mark.parametrize("path", SCRIPTS, ids=lambda path: path.name)
def test_our_scripts_make_no_markup_and_no_code_from_strings(path: Path) -> None:
    assert not re.search(
        r"\beval\(|new Function|innerHTML|outerHTML|insertAdjacentHTML|document\.write", path.read_text()
    )


@pytest.mark.django_db
def test_every_answer_carries_the_strict_policy() -> None:
    client = Client()
    for address in ("/accounts/login/", "/accounts/signup/", "/nothing/here/", "/app/none/"):
        assert client.get(address).headers[HEADER] == STRICT
    assert "'unsafe" not in STRICT
