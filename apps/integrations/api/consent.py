"""``integrations/{id}/connect``: the service's address for consent, and taking the consent back."""

from __future__ import annotations

from typing import Any, ClassVar
from uuid import UUID

from django.conf import settings
from django.http import Http404, HttpResponse
from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.request import Request

from apps.accounts.api.problems import Problem
from apps.accounts.api.views import AccountView, answer
from apps.accounts.pages.shell import address
from apps.integrations.models import Integration
from apps.integrations.oauth.applications import NoApplication, application_for, redirect_uri
from apps.integrations.oauth.attempts import VALID_SECONDS
from apps.integrations.oauth.giving_back import NoConsent, disconnect
from apps.integrations.pages.consent import begin
from apps.integrations.services.connections import lock_integration


class ConsentSerializer(serializers.Serializer[Any]):
    """Where consent is given."""

    authorize_url = serializers.URLField(
        help_text="Of the service, good for this session; for callers with an API key, who have no session, the page "
        "of Strongroom that leads there."
    )
    valid_seconds = serializers.IntegerField(allow_null=True, help_text="How long the service's address counts.")
    redirect_uri = serializers.URLField(help_text="What the application must be registered with.")
    scopes = serializers.ListField(child=serializers.CharField())


class DisconnectedSerializer(serializers.Serializer[Any]):
    """Of a connection that was disconnected although its service could not be told."""

    given_back = serializers.BooleanField()
    detail = serializers.CharField()


class IntegrationConnectView(AccountView):
    """Consent of one connection."""

    actions: ClassVar = {"GET": "integrations.manage", "DELETE": "integrations.manage"}

    @extend_schema(operation_id="integrations_connect", summary="Where to give consent", responses=ConsentSerializer)
    def get(self, request: Request, integration_id: UUID) -> HttpResponse:
        """The address for a browser in which the same person is signed in."""
        row = _with_oauth(Integration.objects.get(pk=integration_id))
        try:
            application_for(row.definition, row.credentials)
            by_session = self.actor.kind == "user"
            page = settings.BASE_URL + address(self.account, "integration_consent", integration_id=row.id)
            where = begin(request._request, row) if by_session else page
        except NoApplication as error:
            raise Problem(409, error.code, f"{error} {error.todo}") from None
        oauth = row.definition.oauth
        assert oauth is not None
        shown = {
            "authorize_url": where,
            "valid_seconds": VALID_SECONDS if by_session else None,
            "redirect_uri": redirect_uri(),
            "scopes": list(oauth.scopes),
        }
        return answer(shown)

    @extend_schema(
        operation_id="integrations_disconnect",
        summary="Take consent back",
        responses={204: None, 200: DisconnectedSerializer},
    )
    def delete(self, request: Request, integration_id: UUID) -> HttpResponse:
        """Gives the grant back and forgets it; 200 instead of 204 says that the service could not be told.

        409 when nobody has consented: it calls with a key, as an application itself, or not at all.
        """
        try:
            given = disconnect(_with_oauth(lock_integration(integration_id)), actor=self.actor)
        except NoConsent as error:
            raise Problem(409, "no_consent", str(error)) from None
        if given.why or given.where:
            detail = f"Disconnected here. The service could not be told: {given.why or given.where}"
            return answer({"given_back": False, "detail": detail})
        return HttpResponse(status=204)


def _with_oauth(row: Integration) -> Integration:
    if row.definition.oauth is None:
        raise Http404("This service is connected by a credential.")
    return row
