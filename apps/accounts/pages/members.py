"""Members and invitations."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from django.core.exceptions import ValidationError
from django.db import transaction
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, render

from apps.accounts.models import Invitation, Membership
from apps.accounts.pages.door import account_of, dialog, done, is_part, may, part, tenant_page
from apps.accounts.pages.forms import InviteForm, add_errors
from apps.accounts.pages.shell import address
from apps.accounts.permissions import allows, require
from apps.accounts.roles import Role
from apps.accounts.selectors import second_factors
from apps.accounts.services import invitations, memberships
from apps.accounts.tenancy.middleware import actor_of

RIGHTS = (
    ("See contacts and the AI project", ("All", "All", "All", "All")),
    ("Switch AI features on and off", ("Yes", "Yes", "No", "No")),
    ("Add, change, import and delete contacts", ("Yes", "Yes", "Yes", "No")),
    ("Make API keys", ("All", "All", "Own", "No")),
    ("Invite and remove members, change roles", ("Yes", "Yes", "No", "No")),
    ("Make and unmake owners", ("Yes", "No", "No", "No")),
    ("Account settings, audit trail", ("Yes", "Yes", "No", "No")),
)


@tenant_page("members.view")
def members(request: HttpRequest) -> HttpResponse:
    """Everyone in the account, and who is invited."""
    return _page(request, _invite_form(request))


@tenant_page("members.invite", "POST")
def invite(request: HttpRequest) -> HttpResponse:
    """Invite one or more addresses: all of them or none."""
    form = _invite_form(request, request.POST)
    if form.is_valid():
        try:
            _invite_all(request, form)
        except ValidationError as error:
            add_errors(form, _at_emails(error))
        else:
            sent = form.cleaned_data["emails"]
            words = f"The invitation of {sent[0]} is" if len(sent) == 1 else f"{len(sent)} invitations are"
            return done(request, address(account_of(request), "members"), f"{words} on the way.")
    return _page(request, form, status=422)


@tenant_page("members.change_role", "POST")
def change_role(request: HttpRequest, membership_id: UUID) -> HttpResponse:
    """Give a member another role; answers with their row."""
    membership = get_object_or_404(Membership.objects.select_related("user"), pk=membership_id)
    error, words = "", ""
    try:
        role = Role(request.POST.get("role", ""))
        membership = memberships.change_role(membership, role=role, actor=actor_of(request))
        words = f"{membership.user.display_name} is {_with_article(role)} now."
    except ValueError:
        error = "Choose one of the roles."
    except ValidationError as refused:
        error = " ".join(refused.messages)
    if not is_part(request):
        return (
            _page(request, _invite_form(request), status=422) if error else done(request, _members_url(request), words)
        )
    context = {"row": _row(request, membership, _factors([membership])), "error": error, **_may(request)}
    return part(request, "accounts/members/row.html", context, words=words)


@tenant_page("members.view", "GET", "POST")
def remove(request: HttpRequest, membership_id: UUID) -> HttpResponse:
    """End a membership, after asking; one's own is left this way too."""
    membership = get_object_or_404(Membership.objects.select_related("user"), pk=membership_id)
    own = membership.user_id == request.user.pk
    if not own:
        require(actor_of(request), "members.remove")
    context: dict[str, Any] = {
        "title": f"Leave {account_of(request).name}?" if own else f"Remove {membership.user.display_name}?",
        "membership": membership,
        "own": own,
    }
    if request.method == "POST":
        try:
            memberships.remove_member(membership, actor=actor_of(request))
        except ValidationError as refused:
            return dialog(
                request, "accounts/members/remove.html", {**context, "error": " ".join(refused.messages)}, status=422
            )
        if own:
            return done(request, "/", f"You have left {account_of(request).name}.")
        return done(request, _members_url(request), f"{membership.user.display_name} is removed.")
    return dialog(request, "accounts/members/remove.html", context)


@tenant_page("members.invite", "POST")
def resend(request: HttpRequest, invitation_id: UUID) -> HttpResponse:
    """Send the link of an invitation again."""
    invitation = get_object_or_404(Invitation, pk=invitation_id)
    try:
        invitations.resend(invitation, account=account_of(request), actor=actor_of(request))
    except ValidationError as refused:
        return _invitations_changed(request, " ".join(refused.messages))
    return _invitations_changed(request, f"A new link is on its way to {invitation.email}. The old one is void.")


@tenant_page("members.invite", "POST")
def withdraw(request: HttpRequest, invitation_id: UUID) -> HttpResponse:
    """Make the link of an invitation worthless."""
    invitation = get_object_or_404(Invitation, pk=invitation_id)
    try:
        invitations.revoke(invitation, actor=actor_of(request))
    except ValidationError as refused:
        return _invitations_changed(request, " ".join(refused.messages))
    return _invitations_changed(request, f"The invitation of {invitation.email} is withdrawn.")


def _page(request: HttpRequest, form: InviteForm, *, status: int = 200) -> HttpResponse:
    found = list(Membership.objects.select_related("user").order_by("created_at"))
    factors = _factors(found)
    context = {
        "form": form,
        "rows": [_row(request, membership, factors) for membership in found],
        "invitations": _pending(),
        "rights": RIGHTS,
        **_may(request),
    }
    return render(request, "accounts/members/list.html", context, status=status)


def _invite_form(request: HttpRequest, data: Any = None) -> InviteForm:
    return InviteForm(data, may_invite_owners=allows(actor_of(request), "members.manage_owners"))


def _invite_all(request: HttpRequest, form: InviteForm) -> None:
    role, account, actor = Role(form.cleaned_data["role"]), account_of(request), actor_of(request)
    with transaction.atomic():
        for email in form.cleaned_data["emails"]:
            invitations.invite(account=account, email=email, role=role, actor=actor)


def _at_emails(error: ValidationError) -> ValidationError:
    return ValidationError({"emails": error.messages})


def _invitations_changed(request: HttpRequest, words: str) -> HttpResponse:
    if not is_part(request):
        return done(request, _members_url(request), words)
    context = {"invitations": _pending(), **_may(request)}
    return part(request, "accounts/members/invitations.html", context, words=words)


def _pending() -> list[Invitation]:
    return list(
        Invitation.objects.select_related("invited_by")
        .filter(accepted_at=None, revoked_at=None)
        .order_by("-created_at")
    )


def _may(request: HttpRequest) -> dict[str, bool]:
    return {
        "may_invite": may(request, "members.invite"),
        "may_change": may(request, "members.change_role"),
        "may_remove": may(request, "members.remove"),
        "may_manage_owners": may(request, "members.manage_owners"),
        # Who is easier to attack is for those to know who can do something about it.
        "may_see_factors": allows(actor_of(request), "security.view"),
    }


def _row(request: HttpRequest, membership: Membership, factors: dict[UUID, str]) -> dict[str, Any]:
    allowed = _may(request)
    own = membership.user_id == request.user.pk
    # Only owners change what an owner is.
    reachable = allowed["may_manage_owners"] or membership.role != Role.OWNER
    return {
        "membership": membership,
        "own": own,
        "factor": factors.get(membership.user_id, ""),
        "may_change": allowed["may_change"] and reachable,
        "may_remove": (own and may(request, "account.view")) or (allowed["may_remove"] and reachable),
        "roles": [role for role in Role if role != Role.OWNER or allowed["may_manage_owners"]],
    }


def _factors(found: list[Membership]) -> dict[UUID, str]:
    return second_factors([membership.user_id for membership in found])


def _members_url(request: HttpRequest) -> str:
    return address(account_of(request), "members")


def _with_article(role: Role) -> str:
    return f"{'an' if role in {Role.OWNER, Role.ADMIN} else 'a'} {role.label.lower()}"
