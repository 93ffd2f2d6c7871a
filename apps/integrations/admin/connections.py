"""Connections of all accounts: masked, found by service and state, tested and switched off with a question first."""

from __future__ import annotations

from typing import Any

from django.contrib import admin
from django.db.models import QuerySet
from django.http import HttpRequest
from django.utils.html import format_html_join
from unfold.contrib.filters.admin import AutocompleteSelectFilter, ChoicesDropdownFilter, RangeDateTimeFilter
from unfold.decorators import display

from apps.accounts.actors import Actor
from apps.accounts.admin.base import PlatformModelAdmin, ReadOnlyInline, scope_of
from apps.accounts.admin.changes import Change
from apps.accounts.admin.site import site
from apps.integrations.models import Integration, IntegrationFailure
from apps.integrations.providers import UnknownProvider, providers
from apps.integrations.services.connections import lock_integration, switch
from apps.integrations.services.trying import TooManyTests, test_connection

Status = Integration.Status
STATUS_LABELS = {
    Status.CONNECTED.label: "success",
    Status.ERROR.label: "danger",
    Status.EXPIRED.label: "danger",
    Status.REAUTH_REQUIRED.label: "warning",
    Status.NOT_CONFIGURED.label: "warning",
    Status.BACKOFF.label: "info",
    Status.DISABLED.label: "info",
}


def _known(row: Integration) -> bool:
    try:
        return bool(row.definition)
    except UnknownProvider:
        return False


def _tested(row: Integration, actor: Actor) -> str:
    outcome = test_connection(lock_integration(row.pk), actor=actor)
    what = "it works" if outcome.ok else f"it does not work. {outcome.message}"
    return f"{row.label} of {row.account.name}: {what}"


def _disabled(row: Integration, actor: Actor) -> str:
    switch(lock_integration(row.pk), on=False, actor=actor)
    return f"{row.label} of {row.account.name} is disabled."


def _enabled(row: Integration, actor: Actor) -> str:
    switch(lock_integration(row.pk), on=True, actor=actor)
    return f"{row.label} of {row.account.name} is in use again."


class ProviderFilter(admin.SimpleListFilter):
    """By service, from the registry."""

    title = "provider"
    parameter_name = "provider"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        return [(entry.name, entry.label) for entry in providers().values()]

    def queryset(self, request: HttpRequest, queryset: QuerySet[Integration]) -> QuerySet[Integration]:
        return queryset.filter(provider=self.value()) if self.value() else queryset


class StateFilter(admin.SimpleListFilter):
    """By what the pages show: a connection that is switched off is disabled, whatever its last test found."""

    title = "state"
    parameter_name = "state"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        return [(str(value), str(label)) for value, label in Status.choices]

    def queryset(self, request: HttpRequest, queryset: QuerySet[Integration]) -> QuerySet[Integration]:
        if not self.value():
            return queryset
        if self.value() == Status.DISABLED:
            return queryset.filter(enabled=False)
        return queryset.filter(enabled=True, condition=self.value())


class FailureInline(ReadOnlyInline):
    """What went wrong lately, in the service's words."""

    model = IntegrationFailure
    fields = ("at", "message", "code", "job", "who", "times")
    readonly_fields = fields
    ordering = ("-at",)
    show_change_link = False
    verbose_name_plural = "Recent errors"


@admin.register(Integration, site=site)
class IntegrationAdmin(PlatformModelAdmin):
    """Credentials are shown masked on a connection's own page, and can be read or changed nowhere here."""

    list_display = ("service", "account", "category_label", "state", "problem", "last_error_at", "last_used_at")
    list_filter = (
        StateFilter,
        ProviderFilter,
        ("category", ChoicesDropdownFilter),
        ("account", AutocompleteSelectFilter),
        ("last_error_at", RangeDateTimeFilter),
    )
    list_select_related = ("account",)
    search_fields = ("account__name", "account__slug", "provider", "name", "identity", "last_error_message")
    search_help_text = "Account, provider, name, identity or words of the error"
    ordering = ("-created_at",)
    fields = (
        *("service", "account", "category_label", "state", "identity", "credential", "settings"),
        *("last_error_message", "last_error_todo", "last_error_at", "last_tested_at", "last_used_at"),
        *("created_at", "updated_at"),
    )
    readonly_fields = fields
    inlines = (FailureInline,)
    changes = (
        Change(
            "test",
            "Test connection…",
            "Makes one real call that costs nothing, with the account's own credential, and keeps what it found.",
            _tested,
            applies=_known,
            icon="network_check",
            refusals=(TooManyTests,),
        ),
        Change(
            "enable",
            "Enable…",
            "It is called again from the next job on.",
            _enabled,
            applies=lambda row: not row.enabled,
            icon="play_arrow",
        ),
        Change(
            "disable",
            "Disable…",
            "Nothing calls it until somebody enables it again. It keeps all it knows; the account's trail tells of it.",
            _disabled,
            applies=lambda row: row.enabled,
            icon="pause",
            danger=True,
        ),
    )

    def trail_label(self, row: Any) -> str:
        return str(row.label)

    def get_queryset(self, request: HttpRequest) -> QuerySet[Integration]:
        return super().get_queryset(request).select_related("account").defer("credentials")

    @display(description="Service", ordering="provider")
    def service(self, row: Integration) -> str:
        return row.label

    @display(description="Category", ordering="category")
    def category_label(self, row: Integration) -> str:
        return row.get_category_display()

    @display(description="State", label=STATUS_LABELS)
    def state(self, row: Integration) -> str:
        return str(Status(row.status).label)

    @display(description="Credential, masked")
    def credential(self, row: Integration) -> str:
        if not _known(row):
            return "–"
        with scope_of(row):
            shown = Integration.objects.get(pk=row.pk).masked_credentials
        names = {entry.name: entry.label for entry in row.definition.credentials}
        return (
            format_html_join("; ", "{}: {}", ((names.get(name, name), value) for name, value in shown.items())) or "–"
        )

    @display(description="Last error")
    def problem(self, row: Integration) -> str:
        text = row.last_error_message
        return text if len(text) <= 80 else f"{text[:79]}…"
