"""Sending somebody to a service for their consent, and taking what they come back with."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import orjson
from authlib.common.encoding import urlsafe_b64decode
from authlib.oauth2.rfc6749.parameters import prepare_grant_uri

from apps.accounts import audit
from apps.accounts.actors import Actor
from apps.accounts.permissions import require
from apps.accounts.tenancy.scope import tenant
from apps.integrations.models import Integration
from apps.integrations.oauth.access import client_of
from apps.integrations.oauth.applications import application_for, redirect_uri
from apps.integrations.oauth.attempts import Attempt
from apps.integrations.oauth.endpoint import Endpoint
from apps.integrations.oauth.giving_back import forget_others
from apps.integrations.oauth.kinds import PREFIX
from apps.integrations.outbound.errors import OutboundError
from apps.integrations.providers.oauth import GRANT_SETTING, OneToken
from apps.integrations.services.outcomes import condition_after, todo_of
from apps.vault.tokens import Grant, GrantRefused, store


@dataclass(frozen=True)
class Refusal(Exception):
    """Nothing was connected, and nothing changed. ``code`` names the case, ``words`` are the service's own."""

    code: str
    words: str = ""


def authorize_address(row: Integration, attempt: Attempt) -> str:
    """Where to send the person (RFC 6749 section 4.1.1, with RFC 7636). Raises NoApplication."""
    definition = row.definition
    assert definition.oauth is not None
    application = application_for(definition, row.credentials)
    endpoint = Endpoint(definition, application, row.settings)
    bound = {"code_challenge": attempt.challenge, "code_challenge_method": "S256"} if definition.oauth.pkce else {}
    address: str = prepare_grant_uri(
        endpoint.address(definition.oauth.authorize_url),
        client_id=application.client_id,
        response_type="code",
        redirect_uri=redirect_uri(),
        scope=definition.oauth.scope_separator.join(definition.oauth.scopes),
        state=attempt.state,
        **bound,
        **definition.oauth.authorize_params,
    )
    return address


def finish(attempt: Attempt, answer: Mapping[str, str], *, actor: Actor) -> Integration:
    """Exchange what the service sent the person back with, and keep the grant. Needs no scope; opens its own.

    Raises Refusal, PermissionDenied, Integration.DoesNotExist. Until the new grant is stored the old one serves.
    """
    require(actor, "integrations.manage")
    with tenant(attempt.account):
        row = Integration.objects.get(pk=attempt.integration)
    try:
        _check_consent(answer)
        grant, said = _exchange(row, attempt, answer)
    except Refusal as refusal:
        _tell_refused(attempt, row, refusal, actor)
        raise
    identity, trouble = _identify(row, grant, said)
    with tenant(attempt.account):
        row = Integration.objects.select_for_update().get(pk=attempt.integration)
        _keep(row, grant, identity, trouble, actor)
    return row


def _check_consent(answer: Mapping[str, str]) -> None:
    if answer.get("error"):
        code = "denied" if answer["error"] == "access_denied" else "refused"
        raise Refusal(code, " ".join((answer.get("error_description") or answer["error"]).split())[:300])
    if not answer.get("code"):
        raise Refusal("no_code")


def _exchange(row: Integration, attempt: Attempt, answer: Mapping[str, str]) -> tuple[Grant, Mapping[str, Any]]:
    try:
        endpoint = Endpoint(row.definition, application_for(row.definition, row.credentials), row.settings, answer)
        return endpoint.by_code(answer["code"], verifier=attempt.verifier, redirect_uri=redirect_uri())
    except GrantRefused as error:
        raise Refusal("code_refused", str(error)) from None
    except OutboundError as error:
        raise Refusal(error.code, str(error)) from None


def _identify(row: Integration, grant: Grant, said: Mapping[str, Any]) -> tuple[str, OutboundError | None]:
    """Whose grant it is, by one call with it; and what was wrong with that call."""
    oauth = row.definition.oauth
    assert oauth is not None
    identity = (oauth.identity(said) if oauth.identity else "") or _in_id_token(said)
    credentials = {name: value for name, value in row.credentials.items() if name not in oauth.stands_in}
    try:
        with client_of(row, credentials, source=OneToken(grant.access_token, grant.facts)) as client:
            return identity or client.test().identity, None
    except OutboundError as error:
        return identity, error


def _in_id_token(said: Mapping[str, Any]) -> str:
    """The address in an ID token. It came from the service itself over TLS (OpenID Connect Core 3.1.3.7, step 6)."""
    try:
        claims = orjson.loads(urlsafe_b64decode(str(said["id_token"]).split(".")[1].encode()))
        return str(claims.get("email") or claims.get("preferred_username") or "")
    except (KeyError, IndexError, ValueError, AttributeError):
        return ""


def _keep(row: Integration, grant: Grant, identity: str, trouble: OutboundError | None, actor: Actor) -> None:
    """The grant into the vault, and what is known of it into the row; consent takes the place of what was typed."""
    oauth = row.definition.oauth
    assert oauth is not None
    known, before = bool(row.identity), row.identity
    store(f"{PREFIX}:{row.pk}", grant, actor=actor, label=row.label)
    gone = {"refresh_token", *oauth.stands_in}
    row.credentials = {name: value for name, value in row.credentials.items() if name not in gone}
    row.settings = {**{name: value for name, value in row.settings.items() if name != GRANT_SETTING}, **grant.facts}
    row.identity = identity[:200]
    row.condition = Integration.Status.CONNECTED if trouble is None else condition_after(trouble, known=True)
    row.last_error_message, row.last_error_todo = (str(trouble), todo_of(trouble)) if trouble else ("", "")
    row.last_error_at = grant.granted_at if trouble else None
    row.last_tested_at = grant.granted_at
    row.save()
    forget_others(row, actor=actor)
    changes: dict[str, Any] = {"identity": [before, row.identity] if known else row.identity}
    changes["scopes"] = list(grant.scopes or oauth.scopes)
    audit.record("integration.consented", actor=actor, entity=row, label=row.label, changes=changes)


def _tell_refused(attempt: Attempt, row: Integration, refusal: Refusal, actor: Actor) -> None:
    with tenant(attempt.account):
        changes = {"reason": refusal.code, **({"words": refusal.words} if refusal.words else {})}
        audit.record("integration.consent_failed", actor=actor, entity=row, label=row.label, changes=changes)
