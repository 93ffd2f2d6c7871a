"""Audit trails, read-only: one account's at a time, and the platform's own."""

from __future__ import annotations

from typing import Any

from django.contrib import admin
from django.db.models import QuerySet
from django.http import HttpRequest
from django.utils.html import format_html, format_html_join
from django.utils.safestring import SafeString
from unfold.contrib.filters.admin import FieldTextFilter, RangeDateTimeFilter
from unfold.decorators import display
from unfold.paginator import InfinitePaginator

from apps.accounts.admin.base import PlatformModelAdmin
from apps.accounts.admin.one_account import OneAccountAdmin
from apps.accounts.admin.site import site
from apps.accounts.masking import DOTS
from apps.vault.audit.phrases import headline_of, thing_of
from apps.vault.audit.selectors import ACTOR_KINDS, about
from apps.vault.models import AuditEntry, PlatformAuditEntry

_FIELDS = ("number", "at", "action", "actor", "entity", "what", "ip", "user_agent", "request_id", "digest", "id")


class ActorKindFilter(admin.SimpleListFilter):
    """Who acts: a person, a key, staff, the product itself."""

    title = "actor"
    parameter_name = "actor_kind"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        words = {"api_key": "API key", "user": "Member"}
        return [(kind, words.get(kind, kind.capitalize())) for kind in ACTOR_KINDS]

    def queryset(self, request: HttpRequest, queryset: QuerySet[Any]) -> QuerySet[Any]:
        return queryset.filter(actor_kind=self.value()) if self.value() else queryset


class _TrailAdmin(PlatformModelAdmin):
    """What both trails show. Each row is decrypted when it is shown; one that does not open says so by an error."""

    list_display = ("number", "at", "headline", "actor", "entity", "ip")
    list_display_links = ("number", "headline")
    ordering = ("-seq",)
    search_fields = ("action",)
    search_help_text = "Whole action, e-mail of who did it, type or id of what it was done to"
    readonly_fields: tuple[str, ...] = _FIELDS
    fields: tuple[str, ...] = _FIELDS

    def shows_values(self, entry: Any) -> bool:
        """Whether staff may read what ``entry`` changed, and the name of what it changed."""
        return True

    def trail_label(self, row: Any) -> str:
        return f"{row.seq:,}"

    def get_search_results(self, request: HttpRequest, queryset: Any, search_term: str) -> tuple[Any, bool]:
        return (queryset.filter(about(search_term)) if search_term.strip() else queryset), False

    @display(description="No.", ordering="seq")
    def number(self, entry: Any) -> int:
        return int(entry.seq)

    @display(description="Action", ordering="action", header=True)
    def headline(self, entry: Any) -> list[str]:
        return [headline_of(entry.action), entry.action]

    @display(description="Who", ordering="actor_id")
    def actor(self, entry: Any) -> str:
        return f"{entry.payload['actor']} ({entry.actor_kind.replace('_', ' ')})"

    @display(description="Upon")
    def entity(self, entry: Any) -> str:
        label = entry.payload["entity"] if self.shows_values(entry) else entry.entity_id
        return " ".join(part for part in (thing_of(entry.entity_type), label) if part) or "–"

    @display(description="What changed")
    def what(self, entry: Any) -> SafeString | str:
        changes = entry.payload["changes"]
        shown = self.shows_values(entry)
        words = ((name, _words(value) if shown else DOTS) for name, value in changes.items())
        rows = format_html_join("", "<li><b>{}</b>: {}</li>", words)
        return format_html("<ul>{}</ul>", rows) if changes else "–"

    @display(description="From")
    def ip(self, entry: Any) -> str:
        return entry.payload["ip"] or "–"

    @display(description="Browser")
    def user_agent(self, entry: Any) -> str:
        return entry.payload["user_agent"] or "–"

    @display(description="Hash")
    def digest(self, entry: Any) -> SafeString:
        return format_html('<span class="sa-mono">{}</span>', bytes(entry.hash).hex())


def _words(value: Any) -> str:
    if isinstance(value, list) and len(value) == 2:
        before, after = (str(part) if part not in (None, "") else "nothing" for part in value)
        return f"{before} → {after}"
    return str(value)


# What staff may read in an account's trail. All else, contacts first, is the account's own: dots for staff.
_OPEN_TO_STAFF = frozenset({"", "account", "apikey", "invitation", "job", "membership", "user"})


@admin.register(AuditEntry, site=site)
class AuditEntryAdmin(OneAccountAdmin, _TrailAdmin):
    """An account's trail: who did what to what. Values of the account's own data stay with the account."""

    list_filter = (
        OneAccountAdmin.account_filter,
        ActorKindFilter,
        ("action", FieldTextFilter),
        ("at", RangeDateTimeFilter),
    )
    fields = ("account", *_FIELDS)
    readonly_fields = fields

    def shows_values(self, entry: Any) -> bool:
        """Contacts are masked on their own pages; their trail must not tell what those hide."""
        return entry.entity_type in _OPEN_TO_STAFF

    def get_queryset(self, request: HttpRequest) -> QuerySet[AuditEntry]:
        return super().get_queryset(request).select_related("account")


@admin.register(PlatformAuditEntry, site=site)
class PlatformAuditEntryAdmin(_TrailAdmin):
    """The operator's own trail."""

    list_filter = (ActorKindFilter, ("action", FieldTextFilter), ("at", RangeDateTimeFilter))
    show_full_result_count = False
    paginator = InfinitePaginator
