"""The dialog that connects a service or changes a connection: test and save, or save as it stands."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from django.contrib import messages
from django.core.exceptions import ValidationError
from django.http import Http404, HttpRequest, HttpResponse
from django.views.decorators.debug import sensitive_post_parameters

from apps.accounts.pages.door import account_of, dialog, tenant_page
from apps.accounts.pages.forms import add_errors
from apps.accounts.pages.shell import address
from apps.accounts.tenancy.middleware import actor_of
from apps.integrations.models import Integration
from apps.integrations.pages.answers import changed, definition_of, locked
from apps.integrations.pages.cards import state_of
from apps.integrations.pages.definition_form import DefinitionForm
from apps.integrations.providers import Provider, UnknownProvider, provider
from apps.integrations.services import connections, saving, trying

TEST, SAVE, ANYWAY = "test", "save", "anyway"


@sensitive_post_parameters()
@tenant_page("integrations.manage", "GET", "POST")
def connect(request: HttpRequest) -> HttpResponse:
    """Connect the service that ``provider`` names."""
    try:
        definition = provider(request.GET.get("provider", ""))
    except UnknownProvider as error:
        raise Http404(str(error)) from None
    form = DefinitionForm(request.POST if request.method == "POST" else None, definition)
    form.others = list(Integration.objects.filter(provider=definition.name))  # type: ignore[attr-defined]
    return _answered(request, definition, form, None)


@sensitive_post_parameters()
@tenant_page("integrations.manage", "GET", "POST")
def configure(request: HttpRequest, integration_id: UUID) -> HttpResponse:
    """Change a connection."""
    row = locked(integration_id)
    definition = definition_of(row)
    form = DefinitionForm(request.POST if request.method == "POST" else None, definition, row)
    return _answered(request, definition, form, row)


def _answered(
    request: HttpRequest, definition: Provider, form: DefinitionForm, row: Integration | None
) -> HttpResponse:
    how = request.POST.get("how", TEST)
    problem: dict[str, Any] | None = None
    if form.is_valid():
        try:
            saved = _save(request, definition, form, row, how)
        except ValidationError as error:
            add_errors(form, error)
        except trying.TooManyTests as error:
            problem = {"title": "Not tested, and not saved", "words": str(error), "todo": ""}
        except saving.NotSaved as error:
            problem = {
                "title": "It does not work, so nothing was saved",
                "words": error.outcome.message,
                "todo": error.outcome.todo,
            }
        else:
            return changed(request, saved, focus=f"configure-{saved.id}")
    context = {
        "title": f"Configure {row.label}" if row is not None else f"Connect {definition.label}",
        "provider": definition,
        "form": form,
        "row": row,
        "state": state_of(row) if row is not None else None,
        "problem": problem,
        "back": _back(request, row),
    }
    refused = bool(form.errors or problem)
    return dialog(request, "integrations/connections/configure.html", context, status=422 if refused else 200)


def _save(
    request: HttpRequest, definition: Provider, form: DefinitionForm, row: Integration | None, how: str
) -> Integration:
    """What was entered, stored in the way that was asked for; says in a toast what came of it.

    Raises ValidationError, TooManyTests, NotSaved.
    """
    actor = actor_of(request)
    values: dict[str, Any] = {
        "credentials": form.credentials,
        "settings": form.settings,
        "name": form.cleaned_data["name"],
    }
    new: dict[str, Any] = {"category": definition.category, "provider_name": definition.name}
    if how == TEST and not _waits_for_consent(definition, form, row):
        if row is None:
            row = saving.connect_if_it_works(actor=actor, **new, **values)
        else:
            row = saving.change_if_it_works(row, actor=actor, **values)
        who = f" as {row.identity}" if row.identity else ""
        messages.success(request, f"{row.label} works{who}. Saved.")
        return row
    anyway = how == ANYWAY
    if row is None:
        add = saving.connect_anyway if anyway else connections.connect
        row = add(actor=actor, **new, **values)
    else:
        alter = saving.change_anyway if anyway else connections.change
        row = alter(row, actor=actor, **values)
    next_step = " Connect it now: you sign in there." if _waits_for_consent(definition, form, row) else ""
    messages.success(request, f"{row.label} is saved.{next_step}")
    return row


def _waits_for_consent(definition: Provider, form: DefinitionForm, row: Integration | None) -> bool:
    """Whether a test would say nothing yet: somebody must sign in at the service first."""
    if definition.oauth is None or (row is not None and row.last_tested_at is not None):
        return False
    known = {**(row.credentials if row is not None else {}), **form.credentials}
    return definition.oauth.needs_consent(known, form.settings)


def _back(request: HttpRequest, row: Integration | None) -> str:
    account = account_of(request)
    if row is None:
        return address(account, "integrations")
    return address(account, "integration", integration_id=row.id)
