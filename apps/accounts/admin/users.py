"""People."""

from __future__ import annotations

from typing import Any

from allauth.mfa.models import Authenticator
from django.contrib import admin
from django.db.models import Count, Exists, OuterRef, QuerySet
from django.http import HttpRequest
from unfold.contrib.filters.admin import BooleanRadioFilter
from unfold.decorators import display

from apps.accounts.actors import Actor
from apps.accounts.admin.base import PlatformModelAdmin, ReadOnlyInline
from apps.accounts.admin.changes import Change
from apps.accounts.admin.site import site
from apps.accounts.models import Membership, User
from apps.accounts.services import people


def _factors_removed(user: User, actor: Actor) -> str:
    return (
        f"{people.remove_second_factors(user, actor=actor)} factors of {user.email} are removed; they are signed out."
    )


def _signed_out(user: User, actor: Actor) -> str:
    return f"{people.sign_out_everywhere(user, actor=actor)} sessions of {user.email} have ended."


def _switched_off(user: User, actor: Actor) -> str:
    people.switch_off(user, actor=actor)
    return f"{user.email} can’t sign in any more."


def _switched_on(user: User, actor: Actor) -> str:
    people.switch_on(user, actor=actor)
    return f"{user.email} can sign in again. API keys that were switched off with them stay off."


def _made_super_admin(user: User, actor: Actor) -> str:
    people.make_super_admin(user, actor=actor)
    return f"{user.email} is a super admin, once they show a second factor."


def _unmade_super_admin(user: User, actor: Actor) -> str:
    people.unmake_super_admin(user, actor=actor)
    return f"{user.email} is no super admin any more."


CHANGES = (
    Change(
        "sign-out",
        "Sign out everywhere…",
        "Every session ends with its next request. The password stays.",
        _signed_out,
        icon="logout",
    ),
    Change(
        "remove-second-factors",
        "Remove second factors…",
        "For a lost phone, after you have made sure who asks. Authenticator, recovery codes and static tokens are "
        "removed and every session ends; the password alone signs in until a new authenticator is added.",
        _factors_removed,
        applies=lambda user: getattr(user, "has_factor", True),
        icon="phonelink_erase",
        danger=True,
        in_lists=False,
    ),
    Change(
        "switch-off",
        "Switch off…",
        "Nobody signs in with this address any more. Sessions end and the API keys this person made stop working. "
        "Memberships stay, so that it can be undone.",
        _switched_off,
        applies=lambda user: user.is_active,
        icon="person_off",
        danger=True,
    ),
    Change(
        "switch-on",
        "Switch on…",
        "This person can sign in again.",
        _switched_on,
        applies=lambda user: not user.is_active,
        icon="person_check",
    ),
    Change(
        "make-super-admin",
        "Make super admin…",
        "A super admin sees every account and can do everything here. It is recorded in the accounts’ own trails.",
        _made_super_admin,
        applies=lambda user: user.is_active and not user.is_superuser,
        icon="shield_person",
        danger=True,
        in_lists=False,
    ),
    Change(
        "unmake-super-admin",
        "Take super admin away…",
        "The admin closes for this person at the next request. What they are in accounts stays.",
        _unmade_super_admin,
        applies=lambda user: user.is_superuser,
        icon="remove_moderator",
        danger=True,
        in_lists=False,
    ),
)


class UsersMembershipInline(ReadOnlyInline):
    """Where a person belongs."""

    model = Membership
    verbose_name_plural = "memberships"
    fields = ("account", "role", "created_at", "last_seen_at")
    readonly_fields = fields

    def get_queryset(self, request: HttpRequest) -> QuerySet[Membership]:
        return super().get_queryset(request).select_related("account", "user").order_by("account__name")


@admin.register(User, site=site)
class UserAdmin(PlatformModelAdmin):
    """Everybody who can sign in. Passwords and second factors are never shown, and never set here."""

    list_display = ("who", "second_factor", "accounts", "state", "last_login", "date_joined")
    list_filter = (
        ("is_active", BooleanRadioFilter),
        ("is_superuser", BooleanRadioFilter),
        ("memberships__role", admin.ChoicesFieldListFilter),
    )
    search_fields = ("email", "name")
    search_help_text = "E-mail or name, or a part of it"
    ordering = ("-date_joined",)
    fields = ("email", "name", "state", "second_factor", "last_login", "date_joined", "id")
    readonly_fields = fields
    inlines = (UsersMembershipInline,)
    changes = CHANGES

    def get_queryset(self, request: HttpRequest) -> QuerySet[User]:
        factors = Authenticator.objects.filter(user_id=OuterRef("pk")).exclude(type=Authenticator.Type.RECOVERY_CODES)
        return (
            super()
            .get_queryset(request)
            .annotate(has_factor=Exists(factors), account_count=Count("memberships", distinct=True))
        )

    @display(description="Person", ordering="email", header=True)
    def who(self, user: User) -> list[Any]:
        return [user.email, user.name or "No name given"]

    @display(description="Second factor", label={"Yes": "success", "No": "warning"})
    def second_factor(self, user: User) -> str:
        return "Yes" if getattr(user, "has_factor", False) else "No"

    @display(description="Accounts", ordering="account_count")
    def accounts(self, user: User) -> int:
        return getattr(user, "account_count", 0)

    @display(description="State", label={"Super admin": "primary", "Switched off": "danger", "Active": "success"})
    def state(self, user: User) -> str:
        if not user.is_active:
            return "Switched off"
        return "Super admin" if user.is_superuser else "Active"
