"""The dialogs that set, change and remove a budget or a limit."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from django import forms
from django.core.exceptions import ValidationError
from django.http import Http404, HttpRequest, HttpResponse
from django.utils.functional import Promise

from apps.accounts.metering import limits as service
from apps.accounts.metering.budgets import label_in_scope
from apps.accounts.metering.names import source_label
from apps.accounts.metering.selectors import known_sources, known_units
from apps.accounts.models import APIKey, Limit, Membership
from apps.accounts.pages.door import account_of, dialog, done, tenant_page
from apps.accounts.pages.forms import add_errors
from apps.accounts.pages.shell import address
from apps.accounts.tenancy.middleware import actor_of

COST = "cost"


class AmountForm(forms.Form):
    """What can be changed of a limit."""

    amount = forms.DecimalField(
        min_value=0,
        max_digits=24,
        decimal_places=10,
        error_messages={
            "required": "Say how much may be used.",
            "invalid": "Write a number, as 250 or 12.50.",
            "min_value": "Use 0 or more.",
            **dict.fromkeys(("max_digits", "max_whole_digits"), "That is more than can be counted."),
            "max_decimal_places": "Use at most %(max)s digits after the point.",
        },
    )
    allow_unpriced = forms.BooleanField(required=False, label="Let work pass whose price is not known")


class LimitForm(AmountForm):
    """A new limit. The service checks the rest."""

    target = forms.ChoiceField(label="For")
    measure = forms.ChoiceField(label="Of")
    period = forms.ChoiceField(choices=Limit.Period.choices, label="Per", initial=Limit.Period.MONTH)
    reached = forms.ChoiceField(
        label="When it is used up",
        choices=[("stop", "Refuse what does not fit"), ("warn", "Only warn")],
        help_text="Owners and admins get a mail at 80, 90 and 100 %.",
    )

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        people = Membership.objects.select_related("user").order_by("user__name", "user__email")[:500]
        keys = APIKey.objects.order_by("name")[:500]
        targets: list[tuple[str | Promise, Any]] = [
            ("account", "The whole account"),
            ("Members", [(f"member:{one.user_id}", one.user.display_name) for one in people]),
            ("API keys", [(f"api_key:{one.id}", one.name) for one in keys]),
            ("Parts of the product", [(f"source:{name}", source_label(name)) for name in known_sources()]),
        ]
        self.fields["target"].choices = [one for one in targets if one[1]]  # type: ignore[attr-defined]
        units = [(unit, unit.replace("_", " ").capitalize()) for unit in known_units()]
        self.fields["measure"].choices = [(COST, "Cost"), *units]  # type: ignore[attr-defined]
        self.order_fields(["target", "measure", "amount", "period", "reached", "allow_unpriced"])

    def values(self) -> dict[str, Any]:
        """What the service takes."""
        chosen = self.cleaned_data
        scope, _, name = chosen["target"].partition(":")
        is_cost = chosen["measure"] == COST
        target: dict[str, Any] = {}
        if scope == "member":
            target = {"user_id": UUID(name)}
        elif scope == "api_key":
            target = {"api_key_id": UUID(name)}
        elif scope == "source":
            target = {"source": name}
        return {
            "scope": scope,
            **target,
            "measure": Limit.Measure.COST if is_cost else Limit.Measure.QUANTITY,
            "unit": "" if is_cost else chosen["measure"],
            "amount": chosen["amount"],
            "period": chosen["period"],
            "hard": chosen["reached"] == "stop",
            "allow_unpriced": chosen["allow_unpriced"],
        }


@tenant_page("limits.manage", "GET", "POST")
def create(request: HttpRequest) -> HttpResponse:
    """Set a limit; one of the same target, measure and period is replaced."""
    form = LimitForm(request.POST if request.method == "POST" else None)
    if form.is_valid():
        try:
            row = service.set_limit(actor=actor_of(request), **form.values())
        except ValidationError as error:
            add_errors(form, error)
        else:
            return done(request, _page(request), f"{label_in_scope(row)} is limited.")
    context = {"title": "New budget or limit", "form": form}
    return dialog(request, "accounts/usage/limit.html", context, status=422 if form.errors else 200)


@tenant_page("limits.manage", "GET", "POST")
def change(request: HttpRequest, limit_id: UUID) -> HttpResponse:
    """Change the amount of a limit."""
    row = _found(limit_id)
    initial = {"amount": f"{row.amount.normalize():f}", "allow_unpriced": row.allow_unpriced}
    form = AmountForm(request.POST if request.method == "POST" else None, initial=initial)
    if form.is_valid():
        try:
            service.change_limit(row, actor=actor_of(request), **form.cleaned_data)
        except ValidationError as error:
            add_errors(form, error)
        else:
            return done(request, _page(request), f"The limit of {label_in_scope(row)} is changed.")
    context = {"title": f"Limit of {label_in_scope(row)}", "form": form, "limit": row, "what": service.label_of(row)}
    return dialog(request, "accounts/usage/limit.html", context, status=422 if form.errors else 200)


@tenant_page("limits.manage", "GET", "POST")
def remove(request: HttpRequest, limit_id: UUID) -> HttpResponse:
    """Take a limit away, after asking."""
    row = _found(limit_id)
    name = label_in_scope(row)
    if request.method == "POST":
        service.remove_limit(row, actor=actor_of(request))
        return done(request, _page(request), f"The limit of {name} is removed.")
    context = {"title": f"Remove the limit of {name}?", "limit": row, "what": service.label_of(row)}
    return dialog(request, "accounts/usage/remove.html", context)


def _found(limit_id: UUID) -> Limit:
    row: Limit | None = Limit.objects.select_for_update(no_key=True).filter(pk=limit_id).first()
    if row is None:
        raise Http404("No such limit.")
    return row


def _page(request: HttpRequest) -> str:
    return address(account_of(request), "usage")
