"""Accounts: the customers of the platform."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from django import forms
from django.contrib import admin
from django.db.models import Count, OuterRef, Q, QuerySet, Subquery
from django.http import HttpRequest
from django.urls import reverse
from unfold.contrib.filters.admin import ChoicesDropdownFilter, RangeDateTimeFilter
from unfold.decorators import display
from unfold.enums import ActionVariant

from apps.accounts.admin.account_panels import panels_of
from apps.accounts.admin.base import PlatformModelAdmin, ReadOnlyInline
from apps.accounts.admin.door import staff
from apps.accounts.admin.one_account import PARAMETER
from apps.accounts.admin.site import site
from apps.accounts.models import Account, APIKey, Invitation, Job, Membership
from apps.accounts.roles import Role
from apps.accounts.services.update_account import update_account
from apps.accounts.tenancy.scope import tenant


@dataclass(frozen=True)
class AccountLink:
    """A list of what the account owns, on its page: ``url_name`` of a list that filters by account."""

    title: str
    url_name: str
    icon: str


_links: list[AccountLink] = []


def add_account_links(*links: AccountLink) -> None:
    """Put links on every account's page; the upper floors' admin packages do this once."""
    _links.extend(links)


class MembershipInline(ReadOnlyInline):
    """Who belongs to the account."""

    model = Membership
    verbose_name_plural = "members"
    fields = ("user", "role", "created_at", "last_seen_at")
    readonly_fields = fields

    def get_queryset(self, request: HttpRequest) -> QuerySet[Membership]:
        return super().get_queryset(request).select_related("user").order_by("created_at")


class InvitationInline(ReadOnlyInline):
    """Who was invited and has not come yet."""

    model = Invitation
    verbose_name_plural = "open invitations"
    fields = ("email", "role", "expires_at", "invited_by")
    readonly_fields = fields

    def get_queryset(self, request: HttpRequest) -> QuerySet[Invitation]:
        rows = super().get_queryset(request).select_related("invited_by")
        return rows.filter(accepted_at=None, revoked_at=None).order_by("-created_at")


class APIKeyInline(ReadOnlyInline):
    """The keys, without what opens anything."""

    model = APIKey
    verbose_name_plural = "API keys"
    fields = ("name", "prefix", "role", "enabled", "last_used_at", "expires_at")
    readonly_fields = fields

    def get_queryset(self, request: HttpRequest) -> QuerySet[APIKey]:
        return super().get_queryset(request).order_by("-created_at")


class JobInline(ReadOnlyInline):
    """What ran for the account lately."""

    model = Job
    verbose_name_plural = "jobs"
    fields = ("kind", "status", "attempts", "error", "created_at", "finished_at")
    readonly_fields = fields
    per_page = 10

    def get_queryset(self, request: HttpRequest) -> QuerySet[Job]:
        return super().get_queryset(request).order_by("-created_at")


class AccountForm(forms.ModelForm):  # type: ignore[type-arg]
    """Name, address and region; the service checks them once more."""

    class Meta:
        model = Account
        fields = ("name", "slug", "default_region")
        labels = {"slug": "Address"}
        help_texts = {"slug": "Its part of addresses, as harbour-pine in /app/harbour-pine/. Old links stop working."}


@admin.register(Account, site=site)
class AccountAdmin(PlatformModelAdmin):
    """Settings can be changed here, in the staff member's name; the account itself can't be removed here."""

    form = AccountForm
    list_display = ("identity", "status_label", "members", "owner", "created_at")
    list_filter = (("status", ChoicesDropdownFilter), ("created_at", RangeDateTimeFilter))
    search_fields = ("name", "slug")
    search_help_text = "Name or address, or a part of it"
    ordering = ("-created_at",)
    fields = ("name", "slug", "default_region", "status_label", "created_at", "id")
    readonly_fields = ("status_label", "created_at", "id")
    inlines = (MembershipInline, InvitationInline, APIKeyInline, JobInline)
    change_form_outer_after_template = "admin/account_panels.html"

    def render_change_form(self, request: HttpRequest, context: dict[str, Any], *args: Any, **kwargs: Any) -> Any:
        account = kwargs.get("obj")
        if account is not None:
            with tenant(account.id):
                context["panels"] = panels_of(account)
        return super().render_change_form(request, context, *args, **kwargs)

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return True

    def get_queryset(self, request: HttpRequest) -> QuerySet[Account]:
        owners = Membership.objects.filter(account_id=OuterRef("pk"), role=Role.OWNER).order_by("created_at")
        members = Membership.objects.filter(account_id=OuterRef("pk")).order_by().values("account_id")
        return (
            super()
            .get_queryset(request)
            .annotate(
                member_count=Subquery(members.annotate(count=Count("id")).values("count")),
                owner_email=Subquery(owners.values("user__email")[:1]),
            )
        )

    def _buttons(self, row: Any) -> list[dict[str, Any]]:
        links = [
            {
                "title": link.title,
                "icon": link.icon,
                "variant": ActionVariant.DEFAULT,
                "attrs": {},
                "path": f"{reverse(f'admin:{link.url_name}')}?{PARAMETER}={row.pk}",
            }
            for link in _links
        ]
        return [*links, *super()._buttons(row)]

    def get_search_results(self, request: HttpRequest, queryset: Any, search_term: str) -> tuple[Any, bool]:
        rows, duplicates = super().get_search_results(request, queryset, search_term)
        if "@" in search_term:
            theirs = Membership.objects.filter(user__email__iexact=search_term.strip()).values("account_id")
            rows = rows | queryset.filter(Q(pk__in=theirs))
        return rows, duplicates

    def save_model(self, request: HttpRequest, obj: Account, form: Any, change: bool) -> None:
        """Through the service: checked, recorded in the account's trail, and its API keys told."""
        values = {name: form.cleaned_data[name] for name in form.changed_data}
        with tenant(obj.id):
            update_account(Account.objects.get(pk=obj.pk), actor=staff(request), **values)

    @display(description="Account", ordering="name", header=True)
    def identity(self, account: Account) -> list[Any]:
        return [account.name, f"/app/{account.slug}/"]

    @display(description="Status", ordering="status", label={"Active": "success", "Suspended": "warning"})
    def status_label(self, account: Account) -> str:
        return account.get_status_display()

    @display(description="Members", ordering="member_count")
    def members(self, account: Account) -> int:
        return getattr(account, "member_count", None) or 0

    @display(description="First owner", ordering="owner_email")
    def owner(self, account: Account) -> str:
        return getattr(account, "owner_email", None) or "–"
