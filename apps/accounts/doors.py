"""Who stands at the door of an account: pages by membership, the API by key or session."""

from __future__ import annotations

from dataclasses import dataclass
from uuid import UUID

from django.db.models import Q
from django.http import Http404, HttpRequest
from django.utils import timezone

from apps.accounts import credentials
from apps.accounts.actors import Actor
from apps.accounts.models import Account, Membership
from apps.accounts.tenancy.scope import platform, tenant

SESSION_ACCOUNT = "account_id"
"""Session key of the account a person last worked in: what the API takes when a request names none."""
LAST_SEEN_RESOLUTION = 300
"""Seconds between two writes of ``last_seen_at`` while a person stays in an account."""


@dataclass(frozen=True)
class Entry:
    """Somebody may enter ``account`` as ``actor``; ``membership`` is theirs when it is a person.

    ``calls_per_hour`` is what the API key that was shown is limited to, ``cost_is_limited`` whether its cost is.
    """

    account: Account
    actor: Actor
    membership: Membership | None = None
    calls_per_hour: int | None = None
    cost_is_limited: bool = False


class SignInNeeded(Exception):
    """Nobody is signed in at an address where somebody must be."""


def page_entry(request: HttpRequest, slug: str) -> Entry:
    """The entry of the signed-in user into the account of a page.

    Raises SignInNeeded, or Http404 when there is no such account or it is not theirs: nobody can tell which.
    """
    if not request.user.is_authenticated:
        raise SignInNeeded
    entry = _membership_entry(request, Q(account__slug=slug))
    if entry is None:
        raise Http404("No such account.")
    if request.session.get(SESSION_ACCOUNT) != str(entry.account.id):
        request.session[SESSION_ACCOUNT] = str(entry.account.id)
        _note_visit(entry)
    elif _seen_long_ago(entry):
        _note_visit(entry)
    return entry


def _seen_long_ago(entry: Entry) -> bool:
    seen = entry.membership.last_seen_at if entry.membership else None
    return seen is None or (timezone.now() - seen).total_seconds() > LAST_SEEN_RESOLUTION


def _note_visit(entry: Entry) -> None:
    """Remember, beyond this session, in which account the person was last, and when."""
    assert entry.membership is not None
    with tenant(entry.account.id):
        Membership.objects.filter(pk=entry.membership.pk).update(last_seen_at=timezone.now())


def api_entry(request: HttpRequest) -> Entry | None:
    """The entry of an API request: by key, else by session and ``X-Account`` (slug or id). None when there is none."""
    scheme, _, value = request.headers.get("Authorization", "").partition(" ")
    if scheme:
        known = credentials.recognise(value.strip()) if scheme.lower() == "bearer" else None
        if known is None:
            return None
        return Entry(
            known.account,
            known.actor,
            calls_per_hour=known.rate_limit_per_hour,
            cost_is_limited=known.cost_is_limited,
        )
    if not request.user.is_authenticated:
        return None
    wanted = request.headers.get("X-Account", "") or request.session.get(SESSION_ACCOUNT, "")
    return _membership_entry(request, _named(wanted) if wanted else Q())


def member_entry(user_id: UUID, account_id: UUID) -> Entry | None:
    """The entry of a user into an account that the address does not name; None when they are no member."""
    return _entry_of(user_id, Q(account_id=account_id))


def slug_entry(user_id: UUID, slug: str) -> Entry | None:
    """The entry of a user into the account of an address, where there is no request; None when it is not theirs."""
    return _entry_of(user_id, Q(account__slug=slug))


def _named(wanted: str) -> Q:
    try:
        return Q(account_id=UUID(wanted))
    except ValueError:
        return Q(account__slug=wanted)


def _membership_entry(request: HttpRequest, which: Q) -> Entry | None:
    return _entry_of(request.user.pk, which)


def _entry_of(user_id: UUID | None, which: Q) -> Entry | None:
    with platform("find the memberships of a signed-in user"):
        membership = (
            Membership.objects.select_related("account", "user")
            .filter(which, user_id=user_id)
            .order_by("created_at")
            .first()
        )
    if membership is None:
        return None
    return Entry(membership.account, Actor.member(membership), membership)
