"""Making and changing API keys."""

from __future__ import annotations

import copy
from dataclasses import dataclass
from typing import Any

from django.core.exceptions import PermissionDenied, ValidationError
from django.db import transaction
from django.utils import timezone

from apps.accounts import audit, credentials
from apps.accounts.actors import Actor
from apps.accounts.metering.limits import forget_key, set_key_limit
from apps.accounts.models import APIKey
from apps.accounts.names import check_name
from apps.accounts.permissions import allows, is_scope, require, within_scopes
from apps.accounts.roles import Role

EDITABLE = ["name", "role", "scopes", "expires_at", "rate_limit_per_hour", "cost_limit_per_month", "enabled"]


@dataclass(frozen=True)
class CreatedKey:
    """A key's row and its text, which can't be had again."""

    row: APIKey
    plain: str


def create_api_key(*, actor: Actor, **values: Any) -> CreatedKey:
    """Make a key with any of the EDITABLE values. Raises PermissionDenied, ValidationError naming the field."""
    require(actor, "api_keys.create")
    made = credentials.new_key()
    row = APIKey(
        key_id=made.key_id,
        secret_hash=made.secret_hash,
        pepper_version=made.pepper_version,
        created_by_id=actor.user_id,
    )
    _set(row, values)
    _require_within(row, actor)
    row.save(force_insert=True)
    if row.cost_limit_per_month is not None:
        set_key_limit(row)
    audit.record("api_key.created", actor=actor, entity=row, label=row.name, changes=_shown(row, EDITABLE))
    return CreatedKey(row, made.plain)


def update_api_key(row: APIKey, *, actor: Actor, **values: Any) -> APIKey:
    """Change any of the EDITABLE values. Raises PermissionDenied, ValidationError naming the field."""
    _require_manage(row, actor)
    before = copy.copy(row)
    _set(row, values)
    names = [name for name in EDITABLE if getattr(before, name) != getattr(row, name)]
    if {"role", "scopes"} & set(names):
        _require_within(row, actor)
    if names:
        row.save(update_fields=[*names, "updated_at"])
        old, new = _shown(before, names), _shown(row, names)
        audit.record(
            "api_key.updated",
            actor=actor,
            entity=row,
            label=row.name,
            changes={name: [old[name], new[name]] for name in names},
        )
        if "cost_limit_per_month" in names:
            set_key_limit(row)  # after the entry: see change_limit
        _forget(row)
    return row


def rotate_api_key(row: APIKey, *, actor: Actor) -> CreatedKey:
    """Give the key another id and secret; the old text stops working at once.

    Whoever rotates a key gets to hold it, so it must not be allowed more than they are. Raises PermissionDenied.
    """
    _require_manage(row, actor)
    _require_within(row, actor)
    _forget(row)
    old_prefix, made = row.prefix, credentials.new_key()
    row.key_id, row.secret_hash, row.pepper_version = made.key_id, made.secret_hash, made.pepper_version
    row.save(update_fields=["key_id", "secret_hash", "pepper_version", "updated_at"])
    audit.record(
        "api_key.rotated", actor=actor, entity=row, label=row.name, changes={"prefix": [old_prefix, row.prefix]}
    )
    return CreatedKey(row, made.plain)


def delete_api_key(row: APIKey, *, actor: Actor) -> None:
    """Remove the key; it stops working at once. Raises PermissionDenied."""
    _require_manage(row, actor)
    audit.record("api_key.deleted", actor=actor, entity=row, label=row.name, changes={"prefix": row.prefix})
    _forget(row)
    forget_key(row.id)
    row.delete()


def _require_manage(row: APIKey, actor: Actor) -> None:
    # A small key is not trusted with the larger ones of the person who made both.
    own = actor.user_id is not None and row.created_by_id == actor.user_id and _is_within(row, actor)
    if own and allows(actor, "api_keys.manage_own"):
        return
    require(actor, "api_keys.manage")


def _set(row: APIKey, values: dict[str, Any]) -> None:
    unknown = set(values) - set(EDITABLE)
    if unknown:
        raise TypeError(f"Not a setting of an API key: {', '.join(sorted(unknown))}")
    for name, value in values.items():
        setattr(row, name, value)
    row.name = (row.name or "").strip()
    check_name(row.name)
    row.full_clean(exclude=["id", "secret_hash"])
    wrong = [scope for scope in row.scopes if not is_scope(scope)]
    if wrong:
        raise ValidationError({"scopes": ValidationError(f"Unknown scope “{wrong[0]}”.", code="unknown_scope")})
    if "expires_at" in values and row.expires_at is not None and row.expires_at <= timezone.now():
        raise ValidationError({"expires_at": ValidationError("This time is past. Choose a later one.", code="past")})


def _is_within(row: APIKey, actor: Actor) -> bool:
    """Whether a key can do nothing that ``actor`` can't: by its role, and by its scopes."""
    higher = actor.role is not None and Role(row.role).rank < actor.role.rank
    wider = bool(actor.scopes) and not (row.scopes and all(within_scopes(actor, scope) for scope in row.scopes))
    return not (higher or wider)


def _require_within(row: APIKey, actor: Actor) -> None:
    if not _is_within(row, actor):
        raise PermissionDenied("A key can't be allowed more than the one who makes or holds it.")


def _shown(row: APIKey, names: list[str]) -> dict[str, Any]:
    shown = {name: getattr(row, name) for name in names}
    return {
        name: str(value) if name in {"expires_at", "cost_limit_per_month"} and value else value
        for name, value in shown.items()
    }


def _forget(row: APIKey) -> None:
    key_id = row.key_id
    credentials.forget(key_id)
    transaction.on_commit(lambda: credentials.forget(key_id))
