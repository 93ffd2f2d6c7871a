"""Entries of a trail as people read them: a sentence, what changed in it, and who it was."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from django.utils import timezone
from django.utils.formats import date_format
from django.utils.html import conditional_escape, format_html
from django.utils.safestring import SafeString, mark_safe

from apps.accounts.jobs.registry import label_of as job_label
from apps.accounts.models import Account, User
from apps.accounts.pages.shell import address
from apps.vault.audit.phrases import Phrase, phrase_of, plain_phrase, thing_of
from apps.vault.audit.selectors import Line
from apps.vault.models import Contact

# The product's own names of what the trail keeps by its short one.
_FACTS = {
    "totp": "authenticator app",
    "webauthn": "passkey",
    "recovery_codes": "recovery codes",
    "static": "one-use token",
    "csv": "CSV",
    "json": "JSON",
}
_FIELDS = {
    "email": "e-mail",
    "contact_type": "type",
    "custom_attributes": "custom attributes",
    "last_activity_at": "last activity",
    "default_region": "country of phone numbers",
    "slug": "address",
    "expires_at": "end",
    "rate_limit_per_hour": "calls an hour",
    "cost_limit_per_month": "cost a month",
    "ip": "IP address",
    "user_agent": "browser",
}
_KINDS = {"api_key": "key", "system": "server-2", "staff": "headset", "anonymous": "help-circle"}


@dataclass(frozen=True)
class Change:
    """One changed field in words. A plain fact has no ``before`` (None)."""

    label: str
    before: str | None
    after: str


@dataclass(frozen=True)
class Told:
    """One entry told. ``icon`` and ``state`` are of what happened; ``who_icon`` is "" for a person."""

    line: Line
    sentence: SafeString
    icon: str
    state: str
    who: str
    who_icon: str
    changes: list[Change]


def tell(lines: Sequence[Line], account: Account | None = None) -> list[Told]:
    """``lines`` in sentences. With ``account``, in its scope, things that still exist are links to their pages."""
    names = _Names(lines)
    urls = _contact_urls(lines, account) if account is not None else {}
    return [_told(line, names, urls) for line in lines]


def _told(line: Line, names: _Names, urls: Mapping[str, str]) -> Told:
    phrase = phrase_of(line.action)
    words = _words(line, names, urls)
    try:
        sentence = _sentence(phrase, words)
    except KeyError:
        sentence = _sentence(plain_phrase(line.action), words)
    return Told(
        line=line,
        sentence=sentence,
        icon=phrase.icon,
        state=phrase.state,
        who=names.actor(line),
        who_icon=_KINDS.get(line.actor_kind, ""),
        changes=list(changes_of(line.changes)),
    )


def _sentence(phrase: Phrase, words: Mapping[str, Any]) -> SafeString:
    """Raises KeyError when the entry lacks a fact that the phrase names."""
    return mark_safe(phrase.words.format_map(words).strip())  # noqa: S308 - phrases are ours, every word in them is escaped


def _words(line: Line, names: _Names, urls: Mapping[str, str]) -> dict[str, Any]:
    what: Any = format_html("<b>{}</b>", names.entity(line)) if line.entity else ""
    if url := urls.get(line.entity_id):
        what = format_html('<a class="b" href="{}">{}</a>', url, line.entity or "a contact")
    words: dict[str, Any] = {}
    for name, value in line.changes.items():
        if is_change(value):
            words[f"{name}_before"], words[f"{name}_after"] = (conditional_escape(_short(part)) for part in value)
        else:
            words[name] = conditional_escape(_short(value))
    fields = [label_of(name) for name, value in line.changes.items() if is_change(value)]
    return {
        **words,
        "who": format_html("<b>{}</b>", names.actor(line)),
        "what": what,
        "thing": _thing(line, names, urls),
        "fields": conditional_escape(_listed(fields) or "settings"),
    }


def _thing(line: Line, names: _Names, urls: Mapping[str, str]) -> SafeString:
    """The kind of thing and its name, where it has one that says more than its id."""
    if url := urls.get(line.entity_id):
        return format_html('<a class="b" href="{}">a contact</a>', url)
    kind, name = f"the {thing_of(line.entity_type)}", names.entity(line)
    if not name or (line.entity_id and line.entity_id in name):
        return conditional_escape(kind)
    return format_html("{} <b>{}</b>", kind, name)


def is_change(value: Any) -> bool:
    """Whether a value of ``changes`` is ``[before, after]`` and not a plain fact."""
    return isinstance(value, list) and len(value) == 2


def changes_of(changes: Mapping[str, Any]) -> Iterable[Change]:
    """Every change and fact of an entry, in words."""
    for name, value in changes.items():
        label = label_of(name)
        label = label[:1].upper() + label[1:]
        if is_change(value):
            yield Change(label, shown(name, value[0]), shown(name, value[1]))
        else:
            yield Change(label, None, shown(name, value))


def label_of(name: str) -> str:
    """A field's name inside of a sentence."""
    return _FIELDS.get(name, name.replace("_", " "))


def shown(name: str, value: Any) -> str:
    """A value of the trail as text; nothing is a dash."""
    if value in (None, "", [], {}):
        return "–"
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, int):
        return f"{value:,}"
    if isinstance(value, list):
        return ", ".join(shown("", part) for part in value)
    if isinstance(value, dict):
        return "\n".join(f"{key}: {shown(key, part)}" for key, part in value.items())
    if name.endswith("_at") and isinstance(value, str):
        return _moment(value)
    return _FACTS.get(value, str(value))


def _short(value: Any) -> str:
    text = shown("", value)
    return text if len(text) <= 80 else f"{text[:79]}…"


def _moment(text: str) -> str:
    try:
        moment = datetime.fromisoformat(text)
    except ValueError:
        return text
    local = timezone.localtime(moment) if timezone.is_aware(moment) else moment
    return date_format(local, "j F Y, H:i:s")


def _listed(fields: list[str]) -> str:
    if len(fields) > 3:
        return f"{fields[0]}, {fields[1]} and {len(fields) - 2} other fields"
    return " and ".join(filter(None, [", ".join(fields[:-1]), *fields[-1:]]))


class _Names:
    """What people in some entries are called: looked up once for all of them."""

    def __init__(self, lines: Sequence[Line]) -> None:
        ids = {line.actor_id for line in lines if line.actor_kind in {"user", "staff"} and line.actor_id}
        emails = {line.entity for line in lines if line.entity_type in {"membership", "user"} and line.entity}
        self._by_id: dict[UUID, str] = {}
        self._by_email: dict[str, str] = {}
        if ids:
            self._by_id = {user.pk: user.display_name for user in User.objects.filter(pk__in=ids)}
        if emails:
            self._by_email = {user.email: user.display_name for user in User.objects.filter(email__in=emails)}

    def actor(self, line: Line) -> str:
        """The one who acted."""
        name = self._by_id.get(line.actor_id, line.actor) if line.actor_id else line.actor
        if line.actor_kind == "staff":
            return f"{name} (support staff)"
        if line.actor_kind == "system":
            return f"Strongroom ({name})" if name else "Strongroom"
        return "Somebody" if line.actor_kind == "anonymous" else name

    def entity(self, line: Line) -> str:
        """What it was done to."""
        if line.entity_type == "job":
            return job_label(line.entity)
        return self._by_email.get(line.entity, line.entity)


def _contact_urls(lines: Sequence[Line], account: Account) -> dict[str, str]:
    ids = {line.entity_id for line in lines if line.entity_type == "contact" and line.action != "contact.deleted"}
    alive = Contact.objects.filter(pk__in=ids).values_list("pk", flat=True) if ids - {""} else []
    return {str(pk): address(account, "contact", contact_id=pk) for pk in alive}
