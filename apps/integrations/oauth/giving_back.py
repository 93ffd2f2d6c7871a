"""Giving grants back: at the service, and here whatever the service says."""

from __future__ import annotations

import logging
from dataclasses import dataclass

from django.db import DatabaseError

from apps.accounts import audit
from apps.accounts.actors import Actor
from apps.accounts.permissions import require
from apps.integrations.models import Integration
from apps.integrations.oauth.access import has_consent, kind_of
from apps.integrations.oauth.applications import application_for
from apps.integrations.oauth.endpoint import Endpoint
from apps.integrations.oauth.kinds import PREFIX, connection_of
from apps.vault.models import Token
from apps.vault.tokens import Grant, revoke

logger = logging.getLogger(__name__)


class NoConsent(Exception):
    """There is no consent that could be taken back."""

    def __init__(self, label: str) -> None:
        super().__init__(
            f"{label} is not connected by anybody's consent, so there is none to take back. "
            "To stop using it, disable the connection, or remove it."
        )


@dataclass(frozen=True)
class GivenBack:
    """``why`` says in words why the service could not be told; "" when it was, or when there was nothing to tell."""

    why: str = ""
    where: str = ""
    """Where a person takes the grant back, at a service that offers programs no way."""


def disconnect(row: Integration, *, actor: Actor) -> GivenBack:
    """Give the connection's grant back and forget it; the connection stays, unconnected. ``row`` should be locked.

    Raises PermissionDenied, NoConsent.
    """
    require(actor, "integrations.manage")
    if not has_consent(row):
        raise NoConsent(row.label)
    why = give_back_all(row, actor=actor)
    oauth = row.definition.oauth
    where = oauth.revocation_help if oauth is not None and oauth.revocation is None else ""
    row.refresh_from_db()  # the typed refresh token is gone with its grant
    row.credentials = {name: value for name, value in row.credentials.items() if name != "refresh_token"}
    row.condition, row.identity = Integration.Status.NOT_CONFIGURED, ""
    row.last_error_at, row.last_error_message, row.last_error_todo = None, "", ""
    row.save()
    changes = {"at_service": f"not told: {why}" if why else "by hand" if where else "told"}
    audit.record("integration.disconnected", actor=actor, entity=row, label=row.label, changes=changes)
    return GivenBack(why, where)


def give_back_all(row: Integration, *, actor: Actor) -> str:
    """Give back every grant of the connection. Returns why one could not be given back, "" when all were."""
    why = ""
    for kind in Token.objects.filter(kind__startswith=f"{PREFIX}:{row.pk}").values_list("kind", flat=True):
        try:
            revoke(kind, actor=actor, label=row.label)
        except DatabaseError:
            raise  # then nothing was removed
        except Exception as error:
            logger.warning("A grant was removed and its service not told: %s", type(error).__name__)
            why = str(error)
    return why


def forget_others(row: Integration, *, actor: Actor, own_too: bool = False) -> None:
    """Forget grants that the connection does not call with any more, of credentials that were replaced.

    ``own_too``: also the one under the name that it calls with, which is of another application. Of one that calls
    with a key all are.
    """
    if row.definition.oauth is None:
        return
    others = Token.objects.filter(kind__startswith=f"{PREFIX}:{row.pk}")
    by_key = any(row.credential(name) for name in row.definition.oauth.stands_in)
    if not (own_too or by_key):
        others = others.exclude(kind=kind_of(row))
    for kind in others.values_list("kind", flat=True):
        revoke(kind, actor=actor, label=row.label, tell=False)


def hold(kind: str) -> None:
    """For the vault: lock the connection that a grant belongs to. Needs the scope of the account."""
    Integration.objects.select_for_update(no_key=True).filter(pk=connection_of(kind)).first()


def give_back(kind: str, grant: Grant) -> None:
    """For the vault: tell the service of a grant that is gone, and the connection that it has none.

    Needs the scope of the account. Raises OutboundError.
    """
    row = Integration.objects.filter(pk=connection_of(kind)).first()
    if row is None or row.definition.oauth is None:
        return
    # Under a name of its own, and nobody typed a refresh token: the grant of an application itself.
    by_itself = kind != f"{PREFIX}:{row.pk}" and not row.credentials.get("refresh_token")
    if kind_of(row) == kind and not by_itself:
        credentials = {name: value for name, value in row.credentials.items() if name != "refresh_token"}
        row.credentials, row.condition, row.identity = credentials, Integration.Status.NOT_CONFIGURED, ""
        row.save(update_fields=["credentials", "condition", "identity", "updated_at"])
    application = application_for(row.definition, row.credentials, own=by_itself)
    Endpoint(row.definition, application, {**row.settings, **grant.facts}).give_back(grant)
