"""The form that a definition makes: every kind of field, and pictures that hold nothing but shapes."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from django.http import QueryDict

from apps.integrations.models import Integration
from apps.integrations.pages.definition_form import DefinitionForm
from apps.integrations.providers.definition import CredentialField, Option, Provider, SettingField
from apps.integrations.providers.icons import BadPicture, picture

pytestmark = pytest.mark.covers("I-06")

EVERYTHING = Provider(
    name="everything",
    category="analytics",
    label="Everything",
    description="Asks for all there is.",
    docs_url="https://docs.example",
    base_url="https://api.example",
    jobs=frozenset({"analytics.track"}),
    credentials=(
        CredentialField(name="key", label="Key", placeholder="k_…"),
        CredentialField(name="file", label="Key file", required=False, multiline=True),
        CredentialField(name="number", label="Account number", required=False, secret=False),
    ),
    settings=(
        SettingField(name="text", label="Text"),
        SettingField(name="address", label="Address", kind="url"),
        SettingField(name="sender", label="Sender", kind="email"),
        SettingField(name="most", label="Most", kind="number", default=5, least=1, most=9, help="Of them."),
        SettingField(name="on", label="On", kind="boolean", default=True),
        SettingField(name="size", label="Size", kind="choice", options=(Option("s", "Small"),), default="s"),
        SettingField(
            name="model", label="Model", kind="choice", options=(Option("a", "A"),), default="a", open_choice=True
        ),
    ),
)


def sent(**values: str) -> DefinitionForm:
    data = QueryDict(mutable=True)
    data.update({name.replace("__", ".", 1): value for name, value in values.items()})
    form = DefinitionForm(data, EVERYTHING)
    assert form.is_valid(), form.errors
    return form


def test_what_was_entered_is_what_the_definition_takes() -> None:
    form = sent(
        credentials__key="k_1",
        credentials__file='{"a": 1}\n',
        settings__text="t",
        settings__address="https://a.example",
        settings__most="7",
        settings__on="on",
        settings__size="s",
        settings__model="a",
    )
    cleaned = EVERYTHING.clean_settings(form.settings)
    expected = {"text": "t", "address": "https://a.example", "sender": "", "most": 7, "on": True, "size": "s"}
    assert cleaned == {**expected, "model": "a"}
    assert EVERYTHING.clean_credentials(form.credentials) == {"key": "k_1", "file": '{"a": 1}'}


def test_what_is_left_empty_is_its_default_and_a_switch_left_off_is_off() -> None:
    cleaned = EVERYTHING.clean_settings(sent(credentials__key="k_1").settings)
    assert (cleaned["most"], cleaned["on"], cleaned["size"], cleaned["model"]) == (5, False, "s", "a")


@pytest.mark.parametrize(("typed", "taken"), [("b-2", "b-2"), ("", "a")])
def test_another_value_is_typed_beside_an_open_list(typed: str, taken: str) -> None:
    form = sent(credentials__key="k_1", settings__model="__other", settings__model__other=typed)
    assert EVERYTHING.clean_settings(form.settings)["model"] == taken


def test_each_kind_has_its_control_and_no_secret_is_written_into_it() -> None:
    form = DefinitionForm(QueryDict("credentials.key=typed-secret&credentials.file=typed-file"), EVERYTHING)
    written = form.as_p()
    assert "typed-secret" not in written and "typed-file" not in written
    for control in ('type="checkbox"', "<textarea", 'inputmode="numeric"', 'inputmode="url"', 'inputmode="email"'):
        assert control in written
    assert "Another…" in str(form["settings.model"]) and "Another…" not in str(form["settings.size"])
    assert form["settings.most"].help_text == "Of them. From 1 to 9."


def test_a_stored_value_that_the_list_has_no_more_stays_chosen(monkeypatch: pytest.MonkeyPatch) -> None:
    row = Integration(category="analytics", provider="everything", credentials={}, settings={"size": "xl"})
    monkeypatch.setattr(Integration, "definition", property(lambda _: EVERYTHING))
    assert '<option value="xl" selected>' in str(DefinitionForm(None, EVERYTHING, row)["settings.size"])


def drawn(path: Path, text: str) -> Any:
    path.write_text(text)
    return picture(path)


def test_a_picture_is_drawn_anew_from_its_shapes(tmp_path: Path) -> None:
    shown = drawn(
        tmp_path / "icon.svg",
        '<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 24 24" onload="alert(1)"><script>alert(2)</script>'
        '<style>*{display:none}</style><a href="javascript:alert(3)"><path d="M0 0"/></a><foreignObject/>'
        '<g transform="scale(2)"><path d="M1 1h2" fill="url(#x)" stroke="#123" onclick="alert(4)" style="x"/></g>'
        "</svg>",
    )
    assert '<g transform="scale(2)"><path d="M1 1h2" stroke="#123"></path></g>' in shown
    for word in ("alert", "script", "style", "href", "foreignObject", "url("):
        assert word not in shown


@pytest.mark.parametrize(
    "text",
    [
        "<svg viewBox='0 0 1 1'>",
        "<svg xmlns='http://www.w3.org/2000/svg'><path d='M0 0'/></svg>",
        "<svg xmlns='http://www.w3.org/2000/svg' viewBox='0 0 1 1'><script/></svg>",
        "<!DOCTYPE svg [<!ENTITY a 'b'>]><svg viewBox='0 0 1 1'><path d='&a;'/></svg>",
        "<html/>",
    ],
)
def test_what_is_no_picture_is_refused(tmp_path: Path, text: str) -> None:
    with pytest.raises(BadPicture):
        drawn(tmp_path / "icon.svg", text)
