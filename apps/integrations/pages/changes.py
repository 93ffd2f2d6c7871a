"""What is done to one connection: test, switch, rotate, remove."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from django.contrib import messages
from django.core.exceptions import ValidationError
from django.http import HttpRequest, HttpResponse
from django.views.decorators.debug import sensitive_post_parameters

from apps.accounts.pages.door import account_of, dialog, done, tenant_page
from apps.accounts.pages.forms import add_errors
from apps.accounts.pages.shell import address
from apps.accounts.tenancy.middleware import actor_of
from apps.integrations.pages.answers import card, changed, definition_of, in_the_list, locked
from apps.integrations.pages.catalogue import is_on_list
from apps.integrations.pages.definition_form import DefinitionForm
from apps.integrations.services import connections, trying


@tenant_page("integrations.manage", "POST")
def test(request: HttpRequest, integration_id: UUID) -> HttpResponse:
    """A real call that costs nothing; what it found stands on the card."""
    row = locked(integration_id)
    definition_of(row)
    try:
        outcome = trying.test_connection(row, actor=actor_of(request))
    except trying.TooManyTests as error:
        if is_on_list(request):
            return card(request, row, waits=str(error))
        messages.warning(request, str(error))
    else:
        if is_on_list(request):
            return card(request, row, works=outcome.ok)
        if outcome.ok:
            messages.success(request, f"{row.label} works.")
        else:
            messages.warning(request, f"It does not work. {outcome.message}")
    return done(request, _page(request, row.id))


@tenant_page("integrations.manage", "POST")
def switch(request: HttpRequest, integration_id: UUID) -> HttpResponse:
    """Enable or disable."""
    row = connections.switch(locked(integration_id), on=request.POST.get("on") == "1", actor=actor_of(request))
    words = "is in use again." if row.enabled else "is disabled. Nothing calls it until it is enabled; nothing is lost."
    messages.success(request, f"{row.label} {words}")
    return card(request, row) if is_on_list(request) else done(request, _page(request, row.id))


@sensitive_post_parameters()
@tenant_page("integrations.manage", "GET", "POST")
def rotate(request: HttpRequest, integration_id: UUID) -> HttpResponse:
    """Put a new credential in the old one's place, if it works."""
    row = locked(integration_id)
    definition = definition_of(row)
    form = DefinitionForm(request.POST if request.method == "POST" else None, definition, row, settings=False)
    problem: dict[str, str] | None = None
    if form.is_valid():
        try:
            outcome = trying.rotate(row, credentials=form.credentials, actor=actor_of(request))
        except ValidationError as error:
            add_errors(form, error)
        except trying.TooManyTests as error:
            problem = {"title": "Not tested, and not swapped", "words": str(error), "todo": ""}
        else:
            if outcome.ok:
                messages.success(request, f"{row.label} uses the new credential from now on.")
                return changed(request, row, focus=f"configure-{row.id}")
            problem = {
                "title": "The new one does not work, so the old one stays in its place",
                "words": outcome.message,
                "todo": outcome.todo,
            }
    context = {
        "title": f"Rotate the credential of {row.label}",
        "provider": definition,
        "row": row,
        "form": form,
        "problem": problem,
        "back": _page(request, row.id),
    }
    status = 422 if form.errors or problem else 200
    return dialog(request, "integrations/connections/rotate.html", context, status=status)


@tenant_page("integrations.manage", "GET", "POST")
def remove(request: HttpRequest, integration_id: UUID) -> HttpResponse:
    """Forget a connection and its credential, after asking."""
    row = locked(integration_id)
    if request.method == "POST":
        label = row.label
        connections.remove(row, actor=actor_of(request))
        messages.success(request, f"{label} is removed, and its credential with it.")
        if is_on_list(request):
            return in_the_list(request, focus=f"connect-{row.provider}")
        return done(request, address(account_of(request), "integrations"))
    context: dict[str, Any] = {"title": f"Remove {row.label}?", "row": row, "back": _page(request, row.id)}
    return dialog(request, "integrations/connections/remove.html", context)


def _page(request: HttpRequest, integration_id: UUID) -> str:
    return address(account_of(request), "integration", integration_id=integration_id)
