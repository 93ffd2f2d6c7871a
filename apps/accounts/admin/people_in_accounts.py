"""Memberships, invitations and API keys of all accounts."""

from __future__ import annotations

from typing import Any

from django import forms
from django.contrib import admin
from django.db.models import Q, QuerySet
from django.http import HttpRequest
from django.utils import timezone
from unfold.contrib.filters.admin import AutocompleteSelectFilter, BooleanRadioFilter, ChoicesDropdownFilter
from unfold.decorators import display

from apps.accounts.actors import Actor
from apps.accounts.admin.base import PlatformModelAdmin, scope_of
from apps.accounts.admin.changes import Change
from apps.accounts.admin.door import staff
from apps.accounts.admin.site import site
from apps.accounts.models import APIKey, Invitation, Membership
from apps.accounts.roles import Role
from apps.accounts.services import invitations
from apps.accounts.services.api_keys import delete_api_key, update_api_key
from apps.accounts.services.memberships import change_role, remove_member


def _removed(membership: Membership, actor: Actor) -> str:
    who, where = membership.user.email, membership.account.name
    remove_member(membership, actor=actor)
    return f"{who} does not belong to {where} any more."


class RoleForm(forms.ModelForm):  # type: ignore[type-arg]
    """The role alone."""

    class Meta:
        model = Membership
        fields = ("role",)


@admin.register(Membership, site=site)
class MembershipAdmin(PlatformModelAdmin):
    """Who belongs where. The role can be changed; an account keeps an owner."""

    form = RoleForm
    list_display = ("user", "account", "role", "last_seen_at", "created_at")
    list_filter = (("account", AutocompleteSelectFilter), ("role", ChoicesDropdownFilter))
    list_select_related = ("user", "account")
    search_fields = ("user__email", "user__name", "account__name")
    search_help_text = "Person or account"
    ordering = ("-created_at",)
    fields = ("user", "account", "role", "created_at", "last_seen_at")
    readonly_fields = ("user", "account", "created_at", "last_seen_at")
    changes = (
        Change(
            "remove",
            "Remove from account…",
            "They lose this account at their next request, and the API keys they made here stop working.",
            _removed,
            icon="person_remove",
            danger=True,
        ),
    )

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return True

    def get_queryset(self, request: HttpRequest) -> QuerySet[Membership]:
        return super().get_queryset(request).select_related("user", "account")

    def save_model(self, request: HttpRequest, obj: Membership, form: Any, change: bool) -> None:
        """Through the service, in the account's scope."""
        with scope_of(obj):
            change_role(Membership.objects.get(pk=obj.pk), role=Role(form.cleaned_data["role"]), actor=staff(request))


def _resent(invitation: Invitation, actor: Actor) -> str:
    invitations.resend(invitation, account=invitation.account, actor=actor)
    return f"{invitation.email} got a new link; the old one stopped working."


def _revoked(invitation: Invitation, actor: Actor) -> str:
    invitations.revoke(invitation, actor=actor)
    return f"The link of {invitation.email} leads nowhere now."


def _is_pending(invitation: Invitation) -> bool:
    return invitation.status in {"open", "expired"}


class InvitationStatusFilter(admin.SimpleListFilter):
    """By what became of it: a time and two marks, not a column."""

    title = "status"
    parameter_name = "status"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        return [("open", "Open"), ("expired", "Ended by itself"), ("accepted", "Accepted"), ("revoked", "Withdrawn")]

    def queryset(self, request: HttpRequest, queryset: QuerySet[Invitation]) -> QuerySet[Invitation]:
        pending = Q(accepted_at=None, revoked_at=None)
        conditions = {
            "open": pending & Q(expires_at__gt=timezone.now()),
            "expired": pending & Q(expires_at__lte=timezone.now()),
            "accepted": Q(accepted_at__isnull=False),
            "revoked": Q(revoked_at__isnull=False),
        }
        return queryset.filter(conditions[self.value()]) if self.value() in conditions else queryset  # type: ignore[index]


@admin.register(Invitation, site=site)
class InvitationAdmin(PlatformModelAdmin):
    """Links that were sent."""

    list_display = ("email", "account", "role", "state", "invited_by", "expires_at")
    list_filter = (("account", AutocompleteSelectFilter), ("role", ChoicesDropdownFilter), InvitationStatusFilter)
    list_select_related = ("account", "invited_by")
    search_fields = ("email", "account__name")
    search_help_text = "E-mail or account"
    ordering = ("-created_at",)
    fields = (
        "email",
        "account",
        "role",
        "state",
        "invited_by",
        "created_at",
        "expires_at",
        "sent_at",
        "mail_problem",
        "accepted_at",
        "revoked_at",
    )
    readonly_fields = fields
    changes = (
        Change(
            "resend",
            "Send again…",
            "A new link is sent and works for seven days; the old one stops working.",
            _resent,
            applies=_is_pending,
            icon="forward_to_inbox",
        ),
        Change(
            "withdraw",
            "Withdraw…",
            "The link stops working. Nobody is told.",
            _revoked,
            applies=_is_pending,
            icon="link_off",
            danger=True,
        ),
    )

    def get_queryset(self, request: HttpRequest) -> QuerySet[Invitation]:
        return super().get_queryset(request).select_related("account", "invited_by")

    @display(
        description="Status",
        label={"Open": "info", "Accepted": "success", "Withdrawn": "danger", "Ended": "warning"},
    )
    def state(self, invitation: Invitation) -> str:
        words = {"open": "Open", "accepted": "Accepted", "revoked": "Withdrawn", "expired": "Ended"}
        return words[invitation.status]


def _switched(enabled: bool) -> Any:
    def run(key: APIKey, actor: Actor) -> str:
        update_api_key(key, actor=actor, enabled=enabled)
        return f"“{key.name}” works again." if enabled else f"“{key.name}” is refused from now on."

    return run


def _deleted(key: APIKey, actor: Actor) -> str:
    name = key.name
    delete_api_key(key, actor=actor)
    return f"“{name}” is gone; it stopped working at once."


@admin.register(APIKey, site=site)
class APIKeyAdmin(PlatformModelAdmin):
    """Keys by what may be shown of them. Their secrets are stored as hashes, which are not shown either."""

    list_display = ("name", "prefix", "account", "role", "state", "created_by", "last_used_at", "expires_at")
    list_filter = (
        ("account", AutocompleteSelectFilter),
        ("enabled", BooleanRadioFilter),
        ("role", ChoicesDropdownFilter),
    )
    list_select_related = ("account", "created_by")
    search_fields = ("name", "=key_id", "account__name", "created_by__email")
    search_help_text = "Name, key id, account or maker"
    ordering = ("-created_at",)
    fields = (
        "name",
        "prefix",
        "account",
        "role",
        "scopes",
        "state",
        "created_by",
        "created_at",
        "last_used_at",
        "expires_at",
        "rate_limit_per_hour",
        "cost_limit_per_month",
    )
    readonly_fields = fields
    changes = (
        Change(
            "disable",
            "Switch off…",
            "Programs that use the key are refused from now on.",
            _switched(False),
            applies=lambda key: key.enabled,
            icon="key_off",
            danger=True,
        ),
        Change(
            "enable",
            "Switch on…",
            "Programs that use the key are let in again.",
            _switched(True),
            applies=lambda key: not key.enabled,
            icon="key",
        ),
        Change(
            "delete",
            "Delete…",
            "The key stops working at once and can’t be brought back.",
            _deleted,
            icon="delete",
            danger=True,
        ),
    )

    def get_queryset(self, request: HttpRequest) -> QuerySet[APIKey]:
        return super().get_queryset(request).select_related("account", "created_by").defer("secret_hash")

    @display(description="State", label={"Active": "success", "Off": "danger", "Ended": "warning"})
    def state(self, key: APIKey) -> str:
        if not key.enabled:
            return "Off"
        return "Active" if key.usable else "Ended"

    @display(description="Key", ordering="key_id")
    def prefix(self, key: APIKey) -> str:
        return f"{key.prefix}_…"
