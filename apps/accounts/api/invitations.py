"""``invitations``, ``invitations/{id}`` and ``invitations/{id}/resend``."""

from __future__ import annotations

from typing import Any, ClassVar
from uuid import UUID

from django.core.exceptions import ValidationError
from django.http import HttpResponse
from django.urls import reverse
from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.request import Request

from apps.accounts.api.pagination import Cursors, PageParameters, answer_list
from apps.accounts.api.preconditions import answer_object, check_unchanged
from apps.accounts.api.problems import Problem
from apps.accounts.api.serializers import Input, Time, page_of
from apps.accounts.api.views import AccountView
from apps.accounts.models import Invitation
from apps.accounts.roles import Role
from apps.accounts.services import invitations as service

_CURSORS = Cursors("invitations", UUID)


class InvitationSerializer(Input):
    """An invitation to join the account. Its link is in the mail alone."""

    id = serializers.UUIDField(read_only=True)
    email = serializers.EmailField(max_length=254)
    role = serializers.ChoiceField(choices=Role.choices, default=Role.MEMBER.value)
    status = serializers.ChoiceField(choices=["open", "accepted", "revoked", "expired"], read_only=True)
    invited_by = serializers.UUIDField(read_only=True, source="invited_by_id", allow_null=True)
    expires_at = Time(read_only=True)
    sent_at = Time(read_only=True, allow_null=True, help_text="When the mail server took the mail; null until then.")
    mail_problem = serializers.CharField(read_only=True, help_text="Why the mail is not sent, or empty.")
    accepted_at = Time(read_only=True, allow_null=True)
    revoked_at = Time(read_only=True, allow_null=True)
    created_at = Time(read_only=True)


def show_invitation(invitation: Invitation) -> Any:
    """An invitation as outsiders read it."""
    return InvitationSerializer(invitation).data


class InvitationsView(AccountView):
    """All invitations."""

    actions: ClassVar = {"GET": "members.invite", "POST": "members.invite"}

    @extend_schema(
        operation_id="invitations_list",
        summary="List invitations",
        parameters=[PageParameters],
        responses=page_of(InvitationSerializer),
    )
    def get(self, request: Request) -> HttpResponse:
        """Open and ended ones, the latest first."""
        return answer_list(Invitation.objects.all(), self.parameters(PageParameters), _CURSORS, show_invitation)

    @extend_schema(
        operation_id="invitations_create",
        summary="Invite somebody",
        request=InvitationSerializer,
        responses={201: InvitationSerializer},
    )
    def post(self, request: Request) -> HttpResponse:
        """Sends the link by e-mail, in the background. Only owners invite owners."""
        values = self.body(InvitationSerializer)
        invitation = service.invite(
            account=self.account, email=values["email"], role=Role(values["role"]), actor=self.actor
        )
        location = reverse("api:invitation", args=[invitation.id])
        return answer_object(request, show_invitation(invitation), status=201, location=location)


class InvitationView(AccountView):
    """One invitation."""

    actions: ClassVar = {"GET": "members.invite", "DELETE": "members.invite"}

    @extend_schema(operation_id="invitations_read", summary="Read an invitation", responses=InvitationSerializer)
    def get(self, request: Request, invitation_id: UUID) -> HttpResponse:
        """One invitation, open or ended."""
        return answer_object(request, show_invitation(Invitation.objects.get(pk=invitation_id)))

    @extend_schema(operation_id="invitations_revoke", summary="Withdraw an invitation", responses={204: None})
    def delete(self, request: Request, invitation_id: UUID) -> HttpResponse:
        """The link stops working. The invitation itself stays in the list as revoked."""
        invitation = Invitation.objects.select_for_update().get(pk=invitation_id)
        check_unchanged(request, lambda: show_invitation(invitation))
        try:
            service.revoke(invitation, actor=self.actor)
        except ValidationError as error:
            raise _ended(error) from error
        return HttpResponse(status=204)


class InvitationResendView(AccountView):
    """Sending an invitation again."""

    actions: ClassVar = {"POST": "members.invite"}

    @extend_schema(
        operation_id="invitations_resend",
        summary="Send an invitation again",
        request=None,
        responses=InvitationSerializer,
    )
    def post(self, request: Request, invitation_id: UUID) -> HttpResponse:
        """Sends a new link; the one before stops working."""
        invitation = Invitation.objects.select_for_update().get(pk=invitation_id)
        try:
            service.resend(invitation, account=self.account, actor=self.actor)
        except ValidationError as error:
            raise _ended(error) from error
        return answer_object(request, show_invitation(invitation))


def _ended(error: ValidationError) -> Problem:
    return Problem(409, "conflict", " ".join(error.messages))
