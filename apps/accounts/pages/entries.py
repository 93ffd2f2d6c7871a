"""What this floor puts into the side bar, the palette and the dashboard."""

from __future__ import annotations

from typing import Any

from allauth.account.models import EmailAddress
from django.db.models import Count, Max
from django.http import HttpRequest
from django.utils import timezone

from apps.accounts.models import APIKey, Invitation, Membership
from apps.accounts.pages.registry import Command, Panel, Section, Stat, Step, register
from apps.accounts.selectors import second_factors
from apps.accounts.templatetags.words import lower_first, spoken
from apps.accounts.tenancy.middleware import actor_of


def register_all() -> None:
    """Called once, at start-up."""
    register(
        Section("", "dashboard", "layout-dashboard", "Dashboard", "account.view", 10, tab="Home"),
        Section("Build", "api_keys", "webhook", "API keys", "api_keys.view_own", 50, family="api_keys"),
        Section("Account", "members", "users", "Members", "members.view", 70, tab="Members", family="members"),
        Section("Account", "usage", "activity", "Usage and costs", "usage.view", 75, family="usage"),
        Section("Account", "settings", "settings", "Account settings", "account.view", 80),
        Section("Account", "security", "shield-lock", "Security", "account.view", 90),
        Command("members", "user-plus", "Invite a member", "members.invite"),
        Command("usage_limit_new", "gauge", "Set a budget or a limit", "limits.manage"),
        Command("api_keys", "key", "Make an API key", "api_keys.create"),
        Step(
            "Confirm your e-mail",
            "Open the link we sent you.",
            "Addresses",
            "security",
            "account.view",
            10,
            _email_confirmed,
        ),
        Step(
            "Turn on a second factor",
            "An authenticator app takes a minute. Without one, your password alone opens everything here.",
            "Turn on",
            "security",
            "account.view",
            20,
            _has_second_factor,
        ),
        Step(
            "Invite your team",
            "Roles decide who sees, who writes and who administers.",
            "Invite",
            "members",
            "members.invite",
            30,
            _has_team,
        ),
        Step(
            "Let a program in",
            "An API key acts in a role you choose, within limits you set.",
            "Make a key",
            "api_keys",
            "api_keys.create",
            60,
            _has_key,
        ),
        Stat("Members", "members.view", 20, _members),
        Stat("API keys", "api_keys.view", 30, _keys),
        Panel("accounts/second_factors_panel.html", "security.view", 20, _protection, place="side"),
    )


def _email_confirmed(request: HttpRequest) -> bool:
    return EmailAddress.objects.filter(user=request.user, verified=True).exists()


def _has_second_factor(request: HttpRequest) -> bool:
    return bool(second_factors([actor_of(request).user_id]))


def _has_team(request: HttpRequest) -> bool:
    return Membership.objects.count() > 1 or Invitation.objects.exists()


def _has_key(request: HttpRequest) -> bool:
    return APIKey.objects.exists()


def _members(request: HttpRequest) -> tuple[str, str]:
    waiting = Invitation.objects.filter(accepted_at=None, revoked_at=None).count()
    return f"{Membership.objects.count():,}", f"{waiting} invited" if waiting else "nobody invited"


def _keys(request: HttpRequest) -> tuple[str, str]:
    used = APIKey.objects.aggregate(latest=Max("last_used_at"), count=Count("pk"))
    if used["latest"] is None:
        return f"{used['count']:,}", "none used yet" if used["count"] else "none yet"
    moment = spoken(timezone.localtime(used["latest"]), timezone.localtime())
    return f"{used['count']:,}", f"last used {lower_first(moment)}"


def _protection(request: HttpRequest) -> dict[str, Any]:
    people = list(Membership.objects.values_list("user_id", flat=True))
    having = len(second_factors(people))
    return {"people": len(people), "having": having, "without": len(people) - having}
