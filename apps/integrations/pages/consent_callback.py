"""Where services send people back after their consent: one address for all; the state says whose it is."""

from __future__ import annotations

import logging
from dataclasses import dataclass

from django.contrib.auth.decorators import login_required
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import render
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_GET

from apps.accounts import audit
from apps.accounts.actors import Actor
from apps.accounts.doors import Entry, member_entry
from apps.accounts.models import Account, User
from apps.accounts.pages.shell import address
from apps.accounts.permissions import allows
from apps.accounts.tenancy.scope import platform, tenant
from apps.integrations.models import Integration
from apps.integrations.oauth.attempts import AnotherSession, Attempt, NotOurs, TooLate, UsedBefore, take
from apps.integrations.oauth.connecting import Refusal, finish

logger = logging.getLogger(__name__)


@dataclass(frozen=True)
class Outcome:
    """One way in which it can end without a connection, in words."""

    heading: str
    words: str
    todo: str
    status: int = 400


_NOTHING = "Nothing was connected, and nothing changed."
_OUTCOMES = {
    "unknown_state": Outcome(
        "This did not begin here",
        f"Strongroom knows nothing of the sign-in that led here, or it was over an hour ago. {_NOTHING}",
        "Begin at the connection's page.",
    ),
    "another_session": Outcome(
        "This was begun by somebody else, or in another browser",
        f"A sign-in counts only for the person and in the browser that began it. {_NOTHING}",
        "Begin again here, at the connection's page.",
        403,
    ),
    "too_late": Outcome(
        "That took too long", f"A sign-in counts for ten minutes. {_NOTHING}", "Begin again, and go straight on."
    ),
    "used_before": Outcome(
        "This was done already",
        "The address you came back with counts once. Loading it again does nothing.",
        "Look at the connection to see what came of it.",
    ),
    "not_allowed": Outcome(
        "Your role may not connect services",
        f"You may have been an admin when this began. {_NOTHING}",
        "An owner or admin can do it.",
        403,
    ),
    "suspended": Outcome(
        "The account is suspended",
        f"It can be read and not changed. {_NOTHING}",
        "Your operator can switch it on again.",
        403,
    ),
    "gone": Outcome("The connection is gone", "Somebody removed it meanwhile.", "Set it up again.", 404),
    "denied": Outcome(
        "You said no",
        f"The service told us that consent was not given. {_NOTHING}",
        "If that was a mistake, begin again and say yes.",
    ),
    "code_refused": Outcome(
        "The service does not take its own code",
        f"It was used before, or it has expired. {_NOTHING}",
        "Begin again: the service makes a new one.",
    ),
    "application_refused": Outcome(
        "The service does not take the application",
        f"Its client ID, secret or redirect address does not fit. {_NOTHING}",
        "Correct them at the service or in the connection, then begin again.",
    ),
    "no_application": Outcome(
        "There is no application any more",
        f"Client ID and secret were removed meanwhile. {_NOTHING}",
        "Enter them in the connection, then begin again.",
    ),
}
_OTHER = Outcome(
    "The service could not finish it", f"It failed on the service's side. {_NOTHING}", "Begin again in a minute."
)


@never_cache
@require_GET
@login_required
def callback(request: HttpRequest) -> HttpResponse:
    """Take what the service sends (RFC 6749 section 4.1.2) and go on to the connection, or say why not."""
    assert isinstance(request.user, User)
    user, answer = request.user, {name: str(value)[:4000] for name, value in request.GET.items()}
    session_key = request.session.session_key or ""
    try:
        attempt = take(answer.get("state", ""), user_id=user.pk, session_key=session_key)
    except NotOurs:
        logger.warning("A service sent somebody back with a state that is none of ours.")
        with platform("tell of a sign-in that did not begin here"):
            _tell(Actor.person(user), None, "unknown_state")
        return _refused(request, "unknown_state")
    except AnotherSession as error:
        code = {UsedBefore: "used_before", TooLate: "too_late"}.get(type(error), "another_session")
        return _not_now(request, user, error.attempt, code)
    entry = member_entry(user.pk, attempt.account)
    if entry is None or not allows(entry.actor, "integrations.manage"):
        return _not_now(request, user, attempt, "not_allowed")
    if entry.account.status == Account.Status.SUSPENDED:
        return _not_now(request, user, attempt, "suspended")
    try:
        row = finish(attempt, answer, actor=entry.actor)
    except Integration.DoesNotExist:
        return _not_now(request, user, attempt, "gone")
    except Refusal as refusal:
        return _refused(request, refusal.code, words=refusal.words, entry=entry, attempt=attempt)
    return HttpResponseRedirect(address(entry.account, "integration_connected", integration_id=row.id))


def _not_now(request: HttpRequest, user: User, attempt: Attempt, code: str) -> HttpResponse:
    """A state that is known and does not count: told in its account's trail; links only for its members."""
    entry = member_entry(user.pk, attempt.account)
    with tenant(attempt.account):
        row = Integration.objects.filter(pk=attempt.integration).first()
        _tell(entry.actor if entry else Actor.person(user), row, code)
    own = entry if entry is not None and row is not None else None
    return _refused(request, code, entry=own, attempt=attempt if own else None)


def _tell(actor: Actor, row: Integration | None, code: str) -> None:
    audit.record(
        "integration.consent_failed",
        actor=actor,
        entity=row,
        label=row.label if row else "a service",
        changes={"reason": code},
    )


def _refused(
    request: HttpRequest, code: str, *, words: str = "", entry: Entry | None = None, attempt: Attempt | None = None
) -> HttpResponse:
    outcome = _OUTCOMES.get(code, _OTHER)
    context = {"outcome": outcome, "said": words, "reason": code, "code": outcome.status}
    if entry is not None and attempt is not None:
        context["look"] = address(entry.account, "integration", integration_id=attempt.integration)
        if allows(entry.actor, "integrations.manage"):
            context["again"] = address(entry.account, "integration_consent", integration_id=attempt.integration)
    return render(request, "integrations/oauth/refused.html", context, status=outcome.status)
