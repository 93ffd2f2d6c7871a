"""Connecting by consent: what will be asked for, what came of it, and taking it back."""

from __future__ import annotations

from typing import Any
from urllib.parse import urlsplit
from uuid import UUID

from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import render

from apps.accounts.models import User
from apps.accounts.pages.door import account_of, dialog, done, tenant_page
from apps.accounts.pages.shell import address
from apps.accounts.tenancy.middleware import actor_of
from apps.integrations.models import Integration
from apps.integrations.oauth import attempts
from apps.integrations.oauth.access import has_consent, kind_of
from apps.integrations.oauth.applications import NoApplication, redirect_uri
from apps.integrations.oauth.connecting import authorize_address
from apps.integrations.oauth.giving_back import NoConsent
from apps.integrations.oauth.giving_back import disconnect as give_back
from apps.integrations.pages.answers import definition_of, locked
from apps.vault.models import Token


def begin(request: HttpRequest, row: Integration) -> str:
    """The service's address at which this person, in this session, is asked for consent. Raises NoApplication."""
    if not request.session.session_key:
        request.session.save()
    assert isinstance(request.user, User)
    attempt = attempts.begin(
        account_id=account_of(request).id,
        integration_id=row.id,
        user_id=request.user.pk,
        session_key=str(request.session.session_key),
    )
    return authorize_address(row, attempt)


@tenant_page("integrations.manage")
def connect(request: HttpRequest, integration_id: UUID) -> HttpResponse:
    """Say where the next click leads and what the service will ask, and lead there."""
    row = _of(integration_id)
    definition = definition_of(row)
    assert definition.oauth is not None
    context = _context(request, row)
    context |= {
        "scopes": definition.oauth.scopes,
        "redirect_uri": redirect_uri(),
        "app_help": definition.oauth.app_help,
    }
    context |= {"replaces": Token.objects.filter(kind__startswith=kind_of(row)).exists()}
    try:
        context["authorize"] = begin(request, row)
    except NoApplication as error:
        context["problem"] = error
    else:
        context["host"] = urlsplit(context["authorize"]).hostname
    return render(request, "integrations/oauth/connect.html", context)


@tenant_page("integrations.manage")
def connected(request: HttpRequest, integration_id: UUID) -> HttpResponse:
    """What a consent came to."""
    row = _of(integration_id)
    token = Token.objects.filter(kind=kind_of(row)).first()
    if token is None:
        raise Http404("Not connected.")
    return render(request, "integrations/oauth/connected.html", {**_context(request, row), "token": token})


@tenant_page("integrations.manage", "GET", "POST")
def disconnect(request: HttpRequest, integration_id: UUID) -> HttpResponse:
    """Give the grant back and forget it, after asking."""
    row = locked(integration_id)
    _require_oauth(row)
    back = address(account_of(request), "integration", integration_id=row.id)
    if not has_consent(row):
        messages.warning(request, str(NoConsent(row.label)))
        return done(request, back)
    if request.method == "POST":
        given = give_back(row, actor=actor_of(request))
        label = definition_of(row).label
        if given.why:
            messages.warning(
                request, f"Disconnected here. {label} could not be told, so remove the access there too: {given.why}"
            )
        elif given.where:
            messages.warning(request, f"Disconnected here. {label} lets only you take it back there: {given.where}")
        else:
            messages.success(request, f"{row.label} is disconnected, and {label} was told.")
        return done(request, back)
    context = {**_context(request, row), "title": f"Disconnect {row.label}?", "back": back}
    return dialog(request, "integrations/oauth/disconnect.html", context)


def _of(integration_id: UUID) -> Integration:
    row = Integration.objects.filter(pk=integration_id).first()
    if row is None:
        raise Http404("No such connection.")
    _require_oauth(row)
    return row


def _require_oauth(row: Integration) -> None:
    if definition_of(row).oauth is None:
        raise Http404("This service is connected by a credential.")


def _context(request: HttpRequest, row: Integration) -> dict[str, Any]:
    return {"row": row, "provider": row.definition, "account": account_of(request)}
