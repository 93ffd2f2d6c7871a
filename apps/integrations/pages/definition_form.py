"""The form of a connection, made from what its provider declares.

Fields are named as the services name them in refusals: ``credentials.api_key``, ``settings.default_model``, ``name``.
A stored secret stands in its field masked. Sent back as it stood it is not sent on, so it stays; and what was typed
is never written into an answer: the page keeps it itself while the form is corrected (``data-kept``).
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from django import forms
from django.forms import BoundField

from apps.integrations.models import Integration
from apps.integrations.providers import Provider
from apps.integrations.providers.definition import CredentialField, SettingField
from apps.integrations.services.connections import is_masked

OTHER = "__other"
"""Chosen in a list that takes values it does not name; the value is typed beside it."""
SECRET, PLAIN = "credentials.", "settings."


class _Secret(forms.TextInput):
    """Shows what is stored, masked, and never what was typed."""

    def __init__(self, shown: str, attrs: dict[str, Any]) -> None:
        super().__init__(attrs)
        self.shown = shown

    def get_context(self, name: str, value: Any, attrs: dict[str, Any] | None) -> dict[str, Any]:
        return super().get_context(name, self.shown, attrs)


class _SecretLines(_Secret, forms.Textarea):
    template_name = "django/forms/widgets/textarea.html"


class DefinitionForm(forms.Form):
    """Reads what a person entered; the definition checks it when the service cleans it."""

    def __init__(
        self, data: Any, definition: Provider, row: Integration | None = None, *, settings: bool = True
    ) -> None:
        super().__init__(data, auto_id="f-%s")
        self.definition, self.row = definition, row
        self.shown: dict[str, str] = row.masked_credentials if row is not None else {}
        for credential in definition.credentials:
            self.fields[SECRET + credential.name] = self._credential(credential)
        if not settings:
            first = next((field for field in definition.credentials if field.secret), None)
            if first is not None:
                self.fields[SECRET + first.name].widget.attrs["autofocus"] = True
            return
        for setting in definition.settings:
            current = row.setting(setting.name) if row is not None else setting.default
            self.fields.update(_setting_fields(setting, current))
        self.fields["name"] = forms.CharField(
            required=False,
            max_length=100,
            label="Name of this connection",
            initial=row.name if row is not None else "",
            help_text=f"Tells several connections of {definition.label} apart. The one without a name is the default.",
            widget=forms.TextInput({"autocomplete": "off"}),
        )

    def _credential(self, field: CredentialField) -> forms.Field:
        stored = self.shown.get(field.name, "")
        attrs: dict[str, Any] = {"autocomplete": "off", "spellcheck": "false", "autocapitalize": "off"}
        if field.placeholder:
            attrs["placeholder"] = field.placeholder
        if field.multiline:
            attrs["rows"] = 4
        widget: forms.Widget
        if field.secret:
            attrs |= {"data-kept": "", "class": "mono"} | ({"data-masked": stored} if stored else {})
            widget = _SecretLines(stored, attrs) if field.multiline else _Secret(stored, attrs)
        else:
            widget = forms.Textarea(attrs) if field.multiline else forms.TextInput(attrs)
        return forms.CharField(
            required=field.required,
            error_messages={"required": "Enter a value."},
            label=field.label,
            help_text=field.help,
            widget=widget,
            initial=stored,
            strip=not field.multiline,
        )

    def clean(self) -> dict[str, Any]:
        for field in self.definition.credentials:
            name = SECRET + field.name
            value = self.cleaned_data.get(name, "")
            if field.secret and is_masked(value) and value.strip() != self.shown.get(field.name, ""):
                self.add_error(name, "Enter the whole value, or leave what stands there as it is.")
        for name in [name for name in self.fields if name.endswith(OTHER)]:
            setting = name.removesuffix(OTHER)
            if self.cleaned_data.get(setting) == OTHER:
                self.cleaned_data[setting] = self.cleaned_data.get(name, "")
        return self.cleaned_data

    @property
    def credentials(self) -> dict[str, str]:
        """The credential that was entered, without the values that stand there masked."""
        given = {field.name: self.cleaned_data.get(SECRET + field.name, "") for field in self.definition.credentials}
        return {name: value for name, value in given.items() if not is_masked(value)}

    @property
    def settings(self) -> dict[str, Any]:
        """The settings that were entered."""
        return {field.name: self.cleaned_data.get(PLAIN + field.name) for field in self.definition.settings}

    def credential_rows(self) -> Iterator[BoundField]:
        """The credential's fields, as the definition orders them."""
        return (self[SECRET + field.name] for field in self.definition.credentials)

    def setting_rows(self) -> Iterator[tuple[BoundField, BoundField | None]]:
        """The settings' fields, each with the one to type another value in, if it has such."""
        for field in self.definition.settings:
            name = PLAIN + field.name
            yield self[name], self[name + OTHER] if name + OTHER in self.fields else None


def _setting_fields(field: SettingField, current: Any) -> Mapping[str, forms.Field]:
    name = PLAIN + field.name
    common: dict[str, Any] = {
        "label": field.label,
        "required": False,
        "help_text": _help(field),
        "initial": current,
    }
    attrs = {"placeholder": field.placeholder} if field.placeholder else {}
    if field.kind == "boolean":
        return {name: forms.BooleanField(**common)}
    if field.kind == "choice":
        return _choice_fields(name, field, current, common)
    if field.kind == "number":
        mode = "numeric" if field.whole else "decimal"
        made = forms.CharField(**common, widget=forms.TextInput({"inputmode": mode, "autocomplete": "off", **attrs}))
    else:
        kinds = {"url": "url", "email": "email"}
        mode = kinds.get(field.kind, "text")
        made = forms.CharField(**common, widget=forms.TextInput({"inputmode": mode, "autocomplete": "off", **attrs}))
    # Left empty, a setting with a default is its default: nothing to call optional.
    made.is_optional = not field.required and field.default in (None, "")  # type: ignore[attr-defined]
    return {name: made}


def _choice_fields(name: str, field: SettingField, current: Any, common: dict[str, Any]) -> Mapping[str, forms.Field]:
    choices = [(option.value, option.label) for option in field.options]
    if not field.required and "" not in dict(choices) and field.default == "":
        choices.insert(0, ("", "–"))
    if current and current not in dict(choices):
        choices.append((current, str(current)))
    if not field.open_choice:
        return {name: _Listed(**common, choices=choices)}
    chosen = _Listed(**common, choices=[*choices, (OTHER, "Another…")])
    chosen.widget.attrs["data-open"] = ""
    other = forms.CharField(
        required=False,
        label=f"{field.label}, another",
        widget=forms.TextInput({"autocomplete": "off", "spellcheck": "false", "placeholder": "Type it"}),
    )
    return {name: chosen, name + OTHER: other}


class _Listed(forms.ChoiceField):
    """Offers a list; whether a value is taken is for the definition to say."""

    is_optional = False

    def valid_value(self, value: Any) -> bool:
        return True


def _help(field: SettingField) -> str:
    if field.kind == "number" and (field.least is not None or field.most is not None):
        least, most = (f"{value:,.10g}" if value is not None else "" for value in (field.least, field.most))
        span = f"From {least} to {most}." if least and most else f"At least {least}." if least else f"At most {most}."
        return f"{field.help} {span}".strip()
    return field.help
