"""The price book, the limits of all accounts, and what they used this month."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

from django import forms
from django.contrib import admin
from django.contrib.admin.views.main import ChangeList
from django.http import HttpRequest
from django.utils import timezone
from unfold.contrib.filters.admin import AutocompleteSelectFilter, ChoicesDropdownFilter
from unfold.decorators import display
from unfold.widgets import UnfoldAdminSelectWidget

from apps.accounts.actors import Actor
from apps.accounts.admin.account_panels import AccountPanel, add_account_panel
from apps.accounts.admin.base import PlatformModelAdmin
from apps.accounts.admin.changes import Change
from apps.accounts.admin.door import staff
from apps.accounts.admin.one_account import OneAccountAdmin
from apps.accounts.admin.site import site
from apps.accounts.metering import limits as service
from apps.accounts.metering.budgets import budgets
from apps.accounts.metering.counters import current
from apps.accounts.metering.estimating import estimate
from apps.accounts.metering.forecast import forecast
from apps.accounts.metering.holding import SOURCE
from apps.accounts.metering.prices import remove_price, set_price
from apps.accounts.metering.selectors import total, usage
from apps.accounts.models import Account, DailyUsage, Limit, Price
from apps.accounts.templatetags.usage_words import limited, money
from apps.accounts.tenancy.scope import platform, tenant


def _price_removed(price: Price, actor: Actor) -> str:
    words = str(price)
    remove_price(price, actor=actor)
    return f"{words}: removed."


@admin.register(Price, site=site)
class PriceAdmin(PlatformModelAdmin):
    """What units cost, from when. The ones that came with the product stay; the operator's hold before them."""

    list_display = ("unit", "item", "shown", "starts_at", "origin_label", "holds")
    list_filter = (("origin", ChoicesDropdownFilter),)
    search_fields = ("unit", "item")
    search_help_text = "Unit or item"
    ordering = ("unit", "item", "-starts_at")
    fields = ("unit", "item", "amount", "per", "free", "starts_at", "currency", "origin", "applied_at")
    readonly_fields = ("currency", "origin", "applied_at")
    changes = (
        Change(
            "remove",
            "Remove…",
            "Work from now on costs what the next price that fits says; what was counted keeps its price.",
            _price_removed,
            applies=lambda price: price.origin == Price.Origin.OPERATOR,
            icon="delete",
            danger=True,
            refusals=(ValueError,),
        ),
    )

    def has_add_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return True

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return obj is None or obj.origin == Price.Origin.OPERATOR

    def get_readonly_fields(self, request: HttpRequest, obj: Any = None) -> tuple[str, ...]:
        fixed: tuple[str, ...] = self.readonly_fields
        return (*fixed, "unit", "item", "starts_at") if obj else fixed

    def save_model(self, request: HttpRequest, obj: Price, form: Any, change: bool) -> None:
        """Through the service: checked, and recorded in the operator's trail."""
        row = set_price(
            actor=staff(request),
            unit=obj.unit,
            item=obj.item,
            amount=obj.amount,
            per=obj.per,
            free=obj.free or Decimal(0),
            starts_at=obj.starts_at,
        )
        obj.pk = row.pk

    @display(description="Price")
    def shown(self, price: Price) -> str:
        per = "" if price.per == 1 else f" per {price.per.normalize():,f}"
        free = f", {price.free.normalize():,f} free" if price.free else ""
        return f"{price.amount.normalize():f} {price.currency}{per}{free}"

    @display(description="Set by", ordering="origin", label={"The operator": "info", "The product": "off"})
    def origin_label(self, price: Price) -> str:
        return "The operator" if price.origin == Price.Origin.OPERATOR else "The product"

    @display(description="Holds", label={"Now": "success", "Later": "warning"})
    def holds(self, price: Price) -> str:
        return "Now" if price.starts_at <= timezone.now() else "Later"


class NewLimitForm(forms.ModelForm):  # type: ignore[type-arg]
    """A limit of any account, set by the operator."""

    account = forms.ModelChoiceField(queryset=Account.objects.all(), widget=UnfoldAdminSelectWidget)

    class Meta:
        model = Limit
        fields = (
            "scope", "user_id", "api_key_id", "source", "subject", "measure", "unit", "period", "amount",
            "hard", "allow_unpriced",
        )  # fmt: skip

    def validate_constraints(self) -> None:
        """Set again, a limit is replaced."""


def _limit_removed(limit: Limit, actor: Actor) -> str:
    words = f"{limit.account.name}: {service.label_of(limit)}"
    service.remove_limit(limit, actor=actor)
    return f"{words} is not limited by it any more."


class LimitList(ChangeList):
    """Looks up where all limits of a page stand at once."""

    def get_results(self, request: HttpRequest) -> None:
        super().get_results(request)
        self.result_list = list(self.result_list)
        counters = current(self.result_list)
        for limit in self.result_list:
            limit.counter_now = counters[limit.id]


@admin.register(Limit, site=site)
class LimitAdmin(PlatformModelAdmin):
    """Limits of all accounts, with where they stand. The operator's can't be changed by the accounts."""

    list_display = ("what", "account", "amount_shown", "used", "hard_label", "set_by", "created_at")
    list_filter = (
        ("account", AutocompleteSelectFilter),
        ("scope", ChoicesDropdownFilter),
        ("set_by", ChoicesDropdownFilter),
    )
    list_select_related = ("account",)
    search_fields = ("account__name", "unit", "source")
    search_help_text = "Account, unit or source"
    ordering = ("-created_at",)
    fields = ("account", "what", "amount", "allow_unpriced", "used", "set_by", "created_at")
    readonly_fields = ("account", "what", "used", "set_by", "created_at")
    changes = (
        Change(
            "remove",
            "Remove…",
            "Nothing is limited by it any more; what was used stays in the ledger.",
            _limit_removed,
            applies=lambda limit: not limit.of_key,
            icon="delete",
            danger=True,
        ),
    )

    def get_changelist(self, request: HttpRequest, **kwargs: Any) -> type[ChangeList]:
        return LimitList

    def has_add_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return True

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return obj is None or not obj.of_key

    def get_form(self, request: HttpRequest, obj: Any = None, change: bool = False, **kwargs: Any) -> Any:
        if obj is None:
            kwargs |= {"form": NewLimitForm, "fields": NewLimitForm.Meta.fields}
        return super().get_form(request, obj, change, **kwargs)

    def get_fieldsets(self, request: HttpRequest, obj: Any = None) -> Any:
        return [(None, {"fields": self.fields if obj else ("account", *NewLimitForm.Meta.fields)})]

    def get_readonly_fields(self, request: HttpRequest, obj: Any = None) -> tuple[str, ...]:
        return self.readonly_fields if obj else ()

    def save_model(self, request: HttpRequest, obj: Limit, form: Any, change: bool) -> None:
        """Through the service, in the account's scope and trail. Raises ValidationError."""
        values = dict(form.cleaned_data)
        account = obj.account if change else values.pop("account")
        with tenant(account.pk):
            if change:
                row = Limit.objects.select_for_update().get(pk=obj.pk)
                chosen = {name: values[name] for name in service.CHANGEABLE if name in values}
                service.change_limit(row, actor=staff(request), **chosen)
            else:
                obj.pk = service.set_limit(actor=staff(request), **values).pk

    @display(description="What", ordering="scope")
    def what(self, limit: Limit) -> str:
        return service.label_of(limit)

    @display(description="At most", ordering="amount")
    def amount_shown(self, limit: Limit) -> str:
        return limited(limit.amount, limit)

    @display(description="Used in its period")
    def used(self, limit: Limit) -> str:
        counter = getattr(limit, "counter_now", None) or current([limit])[limit.id]
        return limited(counter.used, limit)

    @display(description="At its end", label={"Refuses": "danger", "Warns": "warning"})
    def hard_label(self, limit: Limit) -> str:
        return "Refuses" if limit.hard else "Warns"


@admin.register(DailyUsage, site=site)
class DailyUsageAdmin(OneAccountAdmin):
    """What one account used, day by day."""

    list_display = ("day", "source", "unit", "item", "quantity", "price_shown", "unpriced", "calls", "errors")
    list_filter = (OneAccountAdmin.account_filter,)
    search_fields = ("unit", "item", "source")
    search_help_text = "Unit, item or source"
    ordering = ("-day", "source", "unit", "item")
    list_note = "Days are UTC."
    fields = (
        "id", "account", "day", "source", "subject", "cause", "cause_subject", "user_id", "api_key_id", "unit", "item",
        "quantity", "price_shown", "unpriced", "calls", "errors", "duration_ms",
    )  # fmt: skip
    readonly_fields = fields

    @display(description="Cost", ordering="cost")
    def price_shown(self, row: DailyUsage) -> str:
        return money(None if row.unpriced and not row.cost else row.cost)


def _panel(account: Account) -> dict[str, Any]:
    now = timezone.now()
    today = now.date()
    groups = usage("item", today.replace(day=1), today)
    limits = budgets(now, by_operator=True)
    return {
        "account_id": account.id,
        "groups": groups[:8],
        "whole": total(groups),
        "budgets": limits[:8],
        "more_budgets": max(0, len(limits) - 8),
    }


add_account_panel(AccountPanel("admin/usage_panel.html", _panel))


def _estimate_panel(account: Account) -> dict[str, Any]:
    now = timezone.now()
    found = estimate(account.id, now)
    if found is None:
        return {"estimate": None}
    own = forecast(now)
    with platform("sum up what the AI data of all accounts costs"):
        return {"estimate": found, "month": now, "forecast": own, "platform": forecast(now, source=SOURCE)}


add_account_panel(AccountPanel("admin/estimate_panel.html", _estimate_panel))
