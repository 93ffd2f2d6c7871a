"""What a provider declares: which fields it asks for, what it can do, where it lives.

Values are cleaned here and nowhere else, so that a page, the API, the admin and a command refuse the same value with
the same words.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date
from functools import cached_property
from importlib import import_module
from pathlib import Path
from typing import Any, Literal
from urllib.parse import urlsplit

from apps.integrations.providers.categories import CATEGORIES
from apps.integrations.providers.icons import BadPicture, picture
from apps.integrations.providers.oauth import APPLICATION, GRANT_SETTING, OAuth

Kind = Literal["text", "url", "email", "number", "boolean", "choice"]
LONGEST = 4000
"""Characters of one value: a service account's key file fits, a book does not."""


class BadValue(ValueError):
    """A value that a field does not take. ``str(error)`` is the rule in words; ``code`` names it for programs."""

    def __init__(self, message: str, code: str) -> None:
        super().__init__(message)
        self.code = code


@dataclass(frozen=True)
class Option:
    """One of the values of a choice."""

    value: str
    label: str


@dataclass(frozen=True, kw_only=True)
class _Field:
    """What all fields say of themselves. ``pattern`` must match the whole value; ``pattern_hint`` says it in words.

    ``variable`` is the environment variable under which the service's own tools look for it, where that is not the
    provider's name and the field's (``ZOHO_CLIENT_ID``).
    """

    name: str
    label: str
    help: str = ""
    placeholder: str = ""
    pattern: str = ""
    pattern_hint: str = ""
    variable: str = ""

    def _text(self, value: Any) -> str:
        if not isinstance(value, str):
            raise BadValue("Must be text.", "not_text")
        text = value.strip()
        if "\0" in text:
            raise BadValue("Null characters are not allowed.", "null_characters")
        if len(text) > LONGEST:
            raise BadValue(f"Use at most {LONGEST:,} characters.", "max_length")
        if text and self.pattern and not re.fullmatch(self.pattern, text):
            raise BadValue(self.pattern_hint or "This does not have the right form.", "pattern")
        return text


@dataclass(frozen=True, kw_only=True)
class CredentialField(_Field):
    """A part of the credential. ``secret`` parts are masked wherever they are shown; all are stored encrypted."""

    required: bool = True
    secret: bool = True
    multiline: bool = False

    def clean(self, value: Any) -> str:
        """The value to store; "" for none. Raises BadValue."""
        text = self._text(value)
        if self.required and not text:
            raise BadValue("Enter a value.", "required")
        if not self.multiline and re.search(r"[\r\n]", text):
            raise BadValue("Enter a value on one line.", "line_breaks")
        return text


@dataclass(frozen=True, kw_only=True)
class SettingField(_Field):
    """A setting: no secret, shown as it is."""

    kind: Kind = "text"
    required: bool = False
    default: Any = ""
    options: tuple[Option, ...] = ()
    open_choice: bool = False
    """Whether a choice takes values that are not listed: services bring out new models every month."""
    least: float | None = None
    most: float | None = None
    whole: bool = True

    def clean(self, value: Any) -> Any:
        """The value to store; the default for None and "". Raises BadValue."""
        if value is None or value == "":
            if self.required and self.default in (None, ""):
                raise BadValue("Enter a value.", "required")
            return self.default
        return {"number": self._number, "boolean": self._boolean, "choice": self._choice, "url": self._url}.get(
            self.kind, self._text
        )(value)

    def _number(self, value: Any) -> float | int:
        try:
            number = float(value) if not isinstance(value, bool) else float("nan")
        except (TypeError, ValueError):
            number = float("nan")
        if number != number or number in (float("inf"), float("-inf")) or (self.whole and number != int(number)):
            raise BadValue("Enter a whole number." if self.whole else "Enter a number.", "not_a_number")
        if self.least is not None and number < self.least:
            raise BadValue(f"Must be at least {self.least:g}.", "min_value")
        if self.most is not None and number > self.most:
            raise BadValue(f"Must be at most {self.most:g}.", "max_value")
        return int(number) if self.whole else number

    def _boolean(self, value: Any) -> bool:
        known = {True: True, False: False, "true": True, "false": False, "on": True, "off": False}
        key = value.lower() if isinstance(value, str) else value
        if isinstance(key, bool | str) and key in known:
            return known[key]
        raise BadValue("Must be true or false.", "not_a_boolean")

    def _choice(self, value: Any) -> str:
        text = self._text(value)
        if not self.open_choice and text not in {option.value for option in self.options}:
            raise BadValue(f"Choose one of: {', '.join(option.value for option in self.options)}.", "choice")
        return text

    def _url(self, value: Any) -> str:
        text = self._text(value)
        try:
            parts = urlsplit(text)
            well_formed = parts.scheme in {"http", "https"} and bool(parts.hostname) and (parts.port or 1) > 0
        except ValueError:
            well_formed = False
        if not well_formed or re.search(r"\s", text):
            raise BadValue("Must be an address that begins with https://.", "url")
        if parts.username or parts.password:
            raise BadValue("The address must not hold a user name or password.", "url_with_password")
        return text.rstrip("/")


GRANT = SettingField(
    name=GRANT_SETTING,
    label="Signs in",
    kind="choice",
    options=(
        Option("authorization_code", "As a person, who says yes"),
        Option(APPLICATION, "As the application itself"),
    ),
    default="authorization_code",
    help="The application itself needs client ID and secret of your own, and the service's leave to act alone.",
)
"""For definitions of services that also give grants to applications (``OAuth.application_scopes``)."""


class BadFields(ValueError):
    """What is wrong with a set of values: ``errors`` maps a field's name to its BadValue."""

    def __init__(self, errors: Mapping[str, BadValue]) -> None:
        super().__init__("; ".join(f"{name}: {error}" for name, error in errors.items()))
        self.errors = dict(errors)


@dataclass(frozen=True, kw_only=True)
class ListPrice:
    """What the service asks, in US dollars, for ``per`` units of a product, from a day on. "" for all its products.

    The operator's own prices stand before these; what has no price is of unknown cost, not free.
    """

    unit: str
    product: str
    amount: str
    per: int
    starts_on: date


@dataclass(frozen=True, kw_only=True)
class Provider:
    """One outside service.

    ``base_url`` is where it lives; settings (``PROVIDER_URLS``) can point it elsewhere, accounts can't, except by a
    setting field named ``base_url`` that the definition offers. ``main_setting`` is shown on the card. ``oauth`` says
    how the service gives grants, if it does; ``prices`` are those it publishes. ``products`` are what it bills, by the
    name that the ledger has and the words people use, where these differ.
    """

    name: str
    category: str
    label: str
    description: str
    docs_url: str
    base_url: str
    jobs: frozenset[str]
    credentials: tuple[CredentialField, ...] = ()
    settings: tuple[SettingField, ...] = ()
    main_setting: str = ""
    key_help: str = ""
    webhooks: bool = False
    oauth: OAuth | None = None
    prices: tuple[ListPrice, ...] = ()
    products: tuple[tuple[str, str], ...] = ()
    package: str = field(default="", compare=False)

    def credential(self, name: str) -> CredentialField | None:
        """The field of that name."""
        return next((entry for entry in self.credentials if entry.name == name), None)

    def setting(self, name: str) -> SettingField | None:
        """The field of that name."""
        return next((entry for entry in self.settings if entry.name == name), None)

    @cached_property
    def variables(self) -> dict[str, str]:
        """The environment variable of each field."""
        return {
            entry.name: entry.variable or f"{self.name}_{entry.name}".upper()
            for entry in (*self.credentials, *self.settings)
        }

    @cached_property
    def defaults(self) -> dict[str, Any]:
        """What settings are when nobody set them."""
        return {entry.name: entry.default for entry in self.settings}

    def clean_credentials(self, values: Mapping[str, Any]) -> dict[str, str]:
        """All credentials, cleaned. Raises BadFields."""
        return _clean(self.credentials, values)

    def clean_settings(self, values: Mapping[str, Any]) -> dict[str, Any]:
        """All settings, cleaned, with defaults for those not given. Raises BadFields."""
        return _clean(self.settings, values)

    def check_application(self, credentials: Mapping[str, str], settings: Mapping[str, Any]) -> None:
        """Of cleaned values: an application that acts by itself must be the connection's own. Raises BadFields.

        The platform's is never lent for that: it would act in whatever organisation the settings name.
        """
        if self.oauth is None or credentials.get("refresh_token") or not self.oauth.is_application(settings):
            return
        errors = {
            entry.name: BadValue(f"{entry.label} of an application of your own: needed to sign in as one.", "required")
            for entry in self.credentials
            if entry.name in {"client_id", "client_secret"} and not credentials.get(entry.name)
        }
        if errors:
            raise BadFields(errors)

    @property
    def client_class(self) -> type[Any]:
        """The client, imported when first needed: some bring libraries that take seconds."""
        found: type[Any] = import_module(f"{self.package}.client").Client
        return found

    @property
    def icon(self) -> Path:
        """The picture, in the provider's folder."""
        return Path(__file__).parent / self.package.rpartition(".")[2] / "icon.svg"

    def faults(self) -> list[str]:
        """What is wrong with the definition, one sentence each."""
        return list(_faults(self))


def _clean(fields: tuple[Any, ...], values: Mapping[str, Any]) -> dict[str, Any]:
    errors: dict[str, BadValue] = {}
    cleaned: dict[str, Any] = {}
    for entry in fields:
        try:
            cleaned[entry.name] = entry.clean(
                values.get(entry.name, "" if isinstance(entry, CredentialField) else None)
            )
        except BadValue as error:
            errors[entry.name] = error
    for name in values.keys() - {entry.name for entry in fields}:
        errors[name] = BadValue("There is no such field.", "unknown_field")
    if errors:
        raise BadFields(errors)
    return {name: value for name, value in cleaned.items() if value != "" or not _is_credential(fields, name)}


def _is_credential(fields: tuple[Any, ...], name: str) -> bool:
    return any(isinstance(entry, CredentialField) and entry.name == name for entry in fields)


def _faults(provider: Provider) -> Any:
    if not re.fullmatch(r"[a-z][a-z0-9_]{1,39}", provider.name):
        yield "Its name must be lower-case letters, digits and underscores."
    category = CATEGORIES.get(provider.category)
    if category is None:
        yield f"There is no category {provider.category}."
    elif not provider.jobs:
        yield "It offers no job."
    elif provider.jobs - category.jobs:
        yield f"Its category knows no job {', '.join(sorted(provider.jobs - category.jobs))}."
    names = [entry.name for entry in (*provider.credentials, *provider.settings)]
    if len(set(names)) < len(names):
        yield "Two of its fields have one name."
    if provider.main_setting and provider.setting(provider.main_setting) is None:
        yield f"Its main setting {provider.main_setting} is no setting."
    if not provider.icon.is_file():
        yield "It has no icon.svg."
    else:
        try:
            picture(provider.icon)
        except BadPicture as error:
            yield f"Its icon can't be shown: {error}"
    if urlsplit(provider.docs_url).scheme != "https" or urlsplit(provider.base_url).scheme != "https":
        yield "docs_url and base_url must begin with https://."
    if provider.oauth is not None:
        yield from provider.oauth.faults()
    for entry in provider.settings:
        if entry.kind == "choice" and not entry.options:
            yield f"Its setting {entry.name} is a choice without options."
        try:
            if entry.default not in (None, ""):
                entry.clean(entry.default)
        except BadValue as error:
            yield f"The default of its setting {entry.name} is refused: {error}"
