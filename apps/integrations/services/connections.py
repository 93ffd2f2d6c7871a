"""Making, changing and removing connections."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any
from uuid import UUID

from django.core.exceptions import ValidationError
from django.db import IntegrityError, transaction
from django.utils import timezone

from apps.accounts import audit
from apps.accounts.actors import Actor
from apps.accounts.permissions import require
from apps.accounts.tenancy.scope import current_account_id
from apps.integrations.models import Integration
from apps.integrations.models.integration import MASK
from apps.integrations.oauth.access import needs_consent
from apps.integrations.oauth.giving_back import forget_others, give_back_all
from apps.integrations.oauth.trial import ConsentNeeded, loses_consent
from apps.integrations.providers import Provider, UnknownProvider, provider
from apps.integrations.providers.definition import BadFields
from apps.integrations.providers.oauth import GRANT_SETTING

_TAKEN = "There is a connection of this provider with this name already. Change that one, or use another name."


def connect(
    *,
    actor: Actor,
    category: str,
    provider_name: str,
    credentials: Mapping[str, Any],
    settings: Mapping[str, Any] | None = None,
    name: str = "",
    enabled: bool = True,
) -> Integration:
    """Store a connection (untested). Raises PermissionDenied, ValidationError naming each wrong field.

    Fields of credentials and settings are named ``credentials.api_key``, ``settings.default_model``.
    """
    row = draft(
        actor=actor,
        category=category,
        provider_name=provider_name,
        credentials=credentials,
        settings=settings,
        name=name,
        enabled=enabled,
    )
    return store(row, actor=actor)


def draft(
    *,
    actor: Actor,
    category: str,
    provider_name: str,
    credentials: Mapping[str, Any],
    settings: Mapping[str, Any] | None = None,
    name: str = "",
    enabled: bool = True,
) -> Integration:
    """A connection as ``store`` would keep it, checked and not stored: it can be tried first. Raises as ``connect``."""
    require(actor, "integrations.manage")
    definition = _definition(category, provider_name)
    row = Integration(category=category, provider=provider_name, enabled=enabled, created_by_id=actor.user_id)
    row.account_id = current_account_id()
    row.name = clean_name(name)
    _clean(row, definition, credentials, settings or {})
    _check_name(row)
    return row


def store(row: Integration, *, actor: Actor) -> Integration:
    """Keep what ``draft`` made. Raises ValidationError when its name was taken meanwhile."""
    if needs_consent(row):
        row.condition = Integration.Status.NOT_CONFIGURED
    _save(row, force_insert=True)
    audit.record(
        "integration.connected",
        actor=actor,
        entity=row,
        label=row.label,
        changes={
            "settings": row.settings,
            "credentials": sorted(row.credentials),
            **({} if row.enabled else {"enabled": False}),
        },
    )
    return row


def draft_change(
    row: Integration,
    *,
    actor: Actor,
    credentials: Mapping[str, Any] | None = None,
    settings: Mapping[str, Any] | None = None,
    name: str | None = None,
    enabled: bool | None = None,
) -> Integration:
    """The connection as ``change`` would leave it, checked and not stored. Raises as ``change``."""
    require(actor, "integrations.manage")
    after: Integration = Integration.objects.get(pk=row.pk)
    _take(after, credentials, settings, name, enabled)
    _check_name(after)
    return after


def change(
    row: Integration,
    *,
    actor: Actor,
    credentials: Mapping[str, Any] | None = None,
    settings: Mapping[str, Any] | None = None,
    name: str | None = None,
    enabled: bool | None = None,
) -> Integration:
    """Change what is given; a masked value sent back leaves the secret as it is. ``row`` should be locked.

    Raises PermissionDenied, ValidationError naming each wrong field.
    """
    require(actor, "integrations.manage")
    before = {"name": row.name, "settings": row.settings, "enabled": row.enabled}
    known = dict(row.credentials)
    _take(row, credentials, settings, name, enabled)
    replaced = sorted(
        key for key in known.keys() | row.credentials.keys() if known.get(key) != row.credentials.get(key)
    )
    differs = bool(replaced) or _grants_differently(row, before["settings"])
    lost = differs and loses_consent(row, row.credentials, known)
    if differs:
        forget_condition(row)
    if lost:
        _note_lost_consent(row)
    _save(row)
    after = {"name": row.name, "settings": row.settings, "enabled": row.enabled}
    changes: dict[str, Any] = {key: [before[key], after[key]] for key in before if before[key] != after[key]}
    if replaced:
        changes["credentials"] = replaced
    if differs:
        forget_others(row, actor=actor, own_too=lost)
    if changes:
        audit.record("integration.changed", actor=actor, entity=row, label=row.label, changes=changes)
    return row


def switch(row: Integration, *, on: bool, actor: Actor) -> Integration:
    """Enable or disable; a disabled connection keeps all it knows and is called by nobody. Raises PermissionDenied."""
    require(actor, "integrations.manage")
    if row.enabled != on:
        row.enabled = on
        row.save(update_fields=["enabled", "updated_at"])
        action = "integration.enabled" if on else "integration.disabled"
        audit.record(action, actor=actor, entity=row, label=row.label)
    return row


def _take(
    row: Integration,
    credentials: Mapping[str, Any] | None,
    settings: Mapping[str, Any] | None,
    name: str | None,
    enabled: bool | None,
) -> None:
    merged = with_new(dict(row.credentials), credentials or {})
    # What an earlier release asked for and this one does not is left behind.
    stored = {key: value for key, value in row.settings.items() if row.definition.setting(key) is not None}
    _clean(row, row.definition, merged, {**stored, **(settings or {})})
    if name is not None:
        row.name = clean_name(name)
    if enabled is not None:
        row.enabled = enabled


def _grants_differently(row: Integration, before: Mapping[str, Any]) -> bool:
    return row.definition.oauth is not None and before.get(GRANT_SETTING) != row.settings.get(GRANT_SETTING)


def remove(row: Integration, *, actor: Actor) -> None:
    """Forget the connection and its credential, and give its grants back. Raises PermissionDenied."""
    require(actor, "integrations.manage")
    give_back_all(row, actor=actor)
    audit.record(
        "integration.removed",
        actor=actor,
        entity=row,
        label=row.label,
        changes={"credentials": sorted(row.credentials)},
    )
    row.delete()


def lock_integration(integration_id: UUID | str) -> Integration:
    """The connection, held until the transaction ends. Raises Integration.DoesNotExist."""
    # Not its key: a call of the connection meanwhile may note a failure that refers to it.
    row: Integration = Integration.objects.select_for_update(no_key=True).get(pk=integration_id)
    return row


def with_new(known: Mapping[str, str], given: Mapping[str, Any]) -> dict[str, Any]:
    """``known`` with what was ``given`` put in; masked values are what a page showed, not what somebody typed."""
    return {**known, **{name: value for name, value in given.items() if not is_masked(value)}}


def is_masked(value: Any) -> bool:
    """Whether ``value`` is a placeholder as pages and the API show it."""
    return isinstance(value, str) and value.strip().startswith(MASK[:4])


def forget_condition(row: Integration) -> None:
    """Put aside what is known of the old credential (not saved): it says nothing about the new one."""
    row.condition = Integration.Status.NOT_CONFIGURED if needs_consent(row) else Integration.Status.CONNECTED
    row.identity, row.last_tested_at = "", None
    row.last_error_at, row.last_error_message, row.last_error_todo = None, "", ""


def named(bad: BadFields, group: str) -> ValidationError:
    """What is wrong with values, by the names that callers know fields by: ``credentials.api_key``."""
    errors = {f"{group}.{name}": ValidationError(str(why), code=why.code) for name, why in bad.errors.items()}
    return ValidationError(errors)  # type: ignore[arg-type]


def _note_lost_consent(row: Integration) -> None:
    error = ConsentNeeded(row.definition.label)
    row.condition = Integration.Status.NOT_CONFIGURED
    row.last_error_at, row.last_error_message = timezone.now(), str(error)
    row.last_error_todo = "Connect it again: you are asked for your consent anew."


def clean_name(name: str) -> str:
    """A name of one line. Raises ValidationError."""
    cleaned = " ".join(name.split())
    if len(cleaned) > 100:
        raise ValidationError({"name": ValidationError("Use at most 100 characters.", code="max_length")})
    if not cleaned.isprintable():
        raise ValidationError(
            {"name": ValidationError("Control characters are not allowed.", code="control_characters")}
        )
    return cleaned


def _definition(category: str, name: str) -> Provider:
    try:
        provider(name)
    except UnknownProvider as error:
        raise ValidationError({"provider": ValidationError(str(error), code="unknown_provider")}) from None
    try:
        return provider(name, category)
    except UnknownProvider as error:
        raise ValidationError({"category": ValidationError(str(error), code="wrong_category")}) from None


def _clean(row: Integration, definition: Provider, credentials: Mapping[str, Any], settings: Mapping[str, Any]) -> None:
    errors: dict[str, list[ValidationError]] = {}
    for group, clean, values in (
        ("credentials", definition.clean_credentials, credentials),
        ("settings", definition.clean_settings, settings),
    ):
        try:
            setattr(row, group, clean(values))
        except BadFields as bad:
            errors |= named(bad, group).error_dict
    if errors:
        raise ValidationError(errors)  # type: ignore[arg-type]
    try:
        definition.check_application(row.credentials, row.settings)
    except BadFields as bad:
        raise named(bad, "credentials") from None


def _check_name(row: Integration) -> None:
    """Before the service is asked; what is stored at the same moment is found by ``_save``."""
    same = Integration.objects.filter(category=row.category, provider=row.provider, name=row.name)
    if same.exclude(pk=row.pk).exists():
        raise ValidationError({"name": ValidationError(_TAKEN, code="taken")})


def _save(row: Integration, **options: Any) -> None:
    try:
        with transaction.atomic():
            row.save(**options)
    except IntegrityError as error:
        if "integration_one_per_provider_and_name" not in str(error):
            raise
        raise ValidationError({"name": ValidationError(_TAKEN, code="taken")}) from None
