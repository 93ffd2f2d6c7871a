"""How changes of connections are answered: in place on the list, by going on elsewhere."""

from __future__ import annotations

import json
from uuid import UUID

from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import render
from django.template.loader import render_to_string

from apps.accounts.pages.door import account_of, done, may, trigger
from apps.accounts.pages.shell import address
from apps.integrations.models import Integration
from apps.integrations.pages.cards import card_of
from apps.integrations.pages.catalogue import chips_beside, is_on_list, list_beside
from apps.integrations.providers import Provider, UnknownProvider
from apps.integrations.services.connections import lock_integration


def locked(integration_id: UUID) -> Integration:
    """The connection, held until the request ends. Raises Http404."""
    try:
        return lock_integration(integration_id)
    except Integration.DoesNotExist:
        raise Http404("No such connection.") from None


def definition_of(row: Integration) -> Provider:
    """What its provider declares. Raises Http404 when its folder is gone: there is nothing to ask for then."""
    try:
        return row.definition
    except UnknownProvider as error:
        raise Http404(str(error)) from None


def changed(request: HttpRequest, row: Integration, *, focus: str) -> HttpResponse:
    """After a dialog: the list anew with the focus on the element ``focus``, or the connection's page."""
    if is_on_list(request):
        return in_the_list(request, focus=focus)
    return done(request, address(account_of(request), "integration", integration_id=row.id))


def in_the_list(request: HttpRequest, *, focus: str) -> HttpResponse:
    """The dialog closes, the list is put in its place, the focus goes to ``focus``, a toast says what happened."""
    answer = trigger(HttpResponse(list_beside(request) + _toasts(request)), close_dialog=True)
    # By then the list has been swapped, and what gets the focus is there.
    answer["HX-Trigger-After-Settle"] = json.dumps({"focus-on": focus})
    return answer


def card(request: HttpRequest, row: Integration, **more: object) -> HttpResponse:
    """The connection's card in its place, the counts beside it."""
    context = {"card": card_of(row), "may_manage": may(request, "integrations.manage"), **more}
    answer = render(request, "integrations/connections/card.html", context)
    answer.content += (chips_beside(request) + _toasts(request)).encode()
    return answer


def _toasts(request: HttpRequest) -> str:
    # Without a message the place for toasts stays as it is.
    return render_to_string("components/toasts.html", {"oob": True}, request) if messages.get_messages(request) else ""
