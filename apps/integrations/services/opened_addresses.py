"""Opening addresses of the operator's own network to one account, and closing them."""

from __future__ import annotations

from django.core.exceptions import PermissionDenied

from apps.accounts import audit
from apps.accounts.actors import Actor
from apps.integrations.models import OpenedAddress
from apps.integrations.outbound.addresses import AllowList
from apps.integrations.services.arguments import wrong

_WIDEST = 8
"""Bits: a network as wide as the Internet is no exception."""


def open_address(address: str, *, reason: str, actor: Actor) -> OpenedAddress:
    """Let the account in scope call ``address``. Raises PermissionDenied, ValidationError naming the field."""
    _require_operator(actor)
    entry, why = checked_address(address), " ".join(reason.split())
    if not why:
        raise wrong("reason", "Say why: the account reads it.", "required")
    if OpenedAddress.objects.filter(address=entry).exists():
        raise wrong("address", "It is open already.", "taken")
    row = OpenedAddress.objects.create(address=entry, reason=why[:300], opened_by_id=actor.user_id)
    audit.record("outbound.opened", actor=actor, entity=row, label=entry, changes={"reason": why})
    return row


def checked_address(address: str) -> str:
    """The entry as it is stored. Raises ValidationError naming the field."""
    entry = address.strip().lower()
    try:
        allowed = AllowList.of([entry])
    except ValueError as error:
        raise wrong("address", str(error), "address") from None
    if not (allowed.networks or allowed.hosts):
        raise wrong("address", "Enter an address.", "required")
    if any(network.prefixlen < _WIDEST for network in allowed.networks):
        raise wrong("address", f"Open a network of /{_WIDEST} at the widest.", "too_wide")
    return entry


def close_address(row: OpenedAddress, *, actor: Actor) -> None:
    """Close it again; connections that are open end with their call. Raises PermissionDenied."""
    _require_operator(actor)
    audit.record("outbound.closed", actor=actor, entity=row, label=row.address)
    row.delete()


def _require_operator(actor: Actor) -> None:
    if actor.kind not in {"staff", "system"}:
        raise PermissionDenied("Only the operator opens addresses.")
