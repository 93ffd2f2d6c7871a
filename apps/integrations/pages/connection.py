"""One connection: how it stands, what it did, and what was done to it."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import render

from apps.accounts.pages.door import account_of, may, tenant_page
from apps.accounts.permissions import allows
from apps.accounts.tenancy.middleware import actor_of
from apps.integrations.health import health_of
from apps.integrations.models import Integration
from apps.integrations.pages.cards import card_of, secret_facts, setting_words
from apps.integrations.pages.usage import usage_context
from apps.vault.audit.selectors import Criteria, entries
from apps.vault.audit.sentences import Told, tell

HISTORY, FAILURES = 8, 6


@tenant_page("integrations.view")
def integration(request: HttpRequest, integration_id: UUID) -> HttpResponse:
    """Everything about one connection but its secrets."""
    row = Integration.objects.filter(pk=integration_id).first()
    if row is None:
        raise Http404("No such connection.")
    card = card_of(row)
    context = {
        "card": card,
        "row": row,
        "credential": secret_facts(row, card.provider) if card.provider else [],
        "settings": _settings(row),
        "health": health_of(row),
        **usage_context(request, row),
        "failures": list(row.failures.order_by("-at")[:FAILURES]),
        "history": _history(request, row),
        "may_see_history": allows(actor_of(request), "audit.view"),
        "may_manage": may(request, "integrations.manage"),
    }
    return render(request, "integrations/connections/one.html", context)


def _settings(row: Integration) -> list[tuple[str, Any]]:
    definition = card_of(row).provider
    if definition is None:
        return []
    return [(entry.label, setting_words(row, definition, entry.name)) for entry in definition.settings]


def _history(request: HttpRequest, row: Integration) -> list[Told]:
    if not allows(actor_of(request), "audit.view"):
        return []
    account = account_of(request)
    return tell(entries(account.id, Criteria(entity=f"integration:{row.id}"), limit=HISTORY), account)
