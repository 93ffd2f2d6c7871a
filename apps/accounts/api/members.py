"""``members`` and ``members/{id}``."""

from __future__ import annotations

from typing import Any, ClassVar
from uuid import UUID

from django.http import HttpResponse
from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.request import Request

from apps.accounts.api.pagination import Cursors, PageParameters, answer_list
from apps.accounts.api.preconditions import answer_object, check_unchanged
from apps.accounts.api.serializers import Input, Time, page_of
from apps.accounts.api.views import AccountView
from apps.accounts.models import Membership
from apps.accounts.roles import Role
from apps.accounts.services import memberships as service

_CURSORS = Cursors("members", UUID)


class MemberSerializer(Input):
    """A person's place in the account. ``id`` is the membership's, ``user_id`` the person's."""

    id = serializers.UUIDField(read_only=True)
    user_id = serializers.UUIDField(read_only=True)
    email = serializers.EmailField(read_only=True, source="user.email")
    name = serializers.CharField(read_only=True, source="user.name")
    role = serializers.ChoiceField(choices=Role.choices)
    last_seen_at = Time(read_only=True, allow_null=True)
    created_at = Time(read_only=True)


def show_member(membership: Membership) -> Any:
    """A membership as outsiders read it."""
    return MemberSerializer(membership).data


class MembersView(AccountView):
    """Everyone in the account."""

    actions: ClassVar = {"GET": "members.view"}

    @extend_schema(
        operation_id="members_list",
        summary="List members",
        parameters=[PageParameters],
        responses=page_of(MemberSerializer),
    )
    def get(self, request: Request) -> HttpResponse:
        """Who joined last comes first."""
        rows = Membership.objects.select_related("user")
        return answer_list(rows, self.parameters(PageParameters), _CURSORS, show_member)


class MemberView(AccountView):
    """One member."""

    actions: ClassVar = {"GET": "members.view", "PATCH": "members.change_role", "DELETE": "members.view"}

    @extend_schema(operation_id="members_read", summary="Read a member", responses=MemberSerializer)
    def get(self, request: Request, member_id: UUID) -> HttpResponse:
        """One person's place in the account."""
        return answer_object(request, show_member(_found(member_id)))

    @extend_schema(
        operation_id="members_update",
        summary="Change a member's role",
        request=MemberSerializer,
        responses=MemberSerializer,
    )
    def patch(self, request: Request, member_id: UUID) -> HttpResponse:
        """The last owner stays owner; only owners make and unmake owners."""
        membership = _found(member_id)
        check_unchanged(request, lambda: show_member(membership))
        role = self.body(MemberSerializer)["role"]
        changed = service.change_role(membership, role=Role(role), actor=self.actor)
        return answer_object(request, show_member(changed))

    @extend_schema(operation_id="members_remove", summary="Remove a member", responses={204: None})
    def delete(self, request: Request, member_id: UUID) -> HttpResponse:
        """Admins remove others, anybody leaves. The last owner stays; the member's API keys are switched off."""
        membership = _found(member_id)
        check_unchanged(request, lambda: show_member(membership))
        service.remove_member(membership, actor=self.actor)
        return HttpResponse(status=204)


def _found(member_id: UUID) -> Membership:
    found: Membership = Membership.objects.select_related("user").get(pk=member_id)
    return found
