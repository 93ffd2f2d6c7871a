"""Zoho on loopback, and connections to it."""

from __future__ import annotations

from typing import Any
from urllib.parse import parse_qs

import orjson
from pytest_httpserver import HTTPServer
from werkzeug import Request, Response

from apps.accounts.actors import Actor
from apps.accounts.tenancy.scope import tenant
from apps.integrations.models import Integration
from apps.integrations.services import connections
from tests.factories import Cast

OWNER = Actor.system("tests")
OWN = {"client_id": "1000.client", "client_secret": "the-client-secret"}
TYPED = {**OWN, "refresh_token": "1000.typed-refresh-token"}
ME = {"users": [{"email": "zoe@people.example"}]}


class Zoho:
    """What Zoho answers, on loopback. ``calls`` are the forms that its token endpoint got."""

    def __init__(self, httpserver: HTTPServer) -> None:
        self.calls: list[dict[str, str]] = []
        self.given_back: list[str] = []
        self.answer: dict[str, Any] | None = None
        self.status = 200
        self.valid = {"access-1"}
        httpserver.expect_request("/oauth/v2/token", method="POST").respond_with_handler(self._token)
        httpserver.expect_request("/oauth/v2/token/revoke", method="POST").respond_with_handler(self._revoke)
        httpserver.expect_request("/crm/v8/users").respond_with_handler(self._users)

    def _token(self, request: Request) -> Response:
        self.calls.append({name: values[0] for name, values in parse_qs(request.get_data(as_text=True)).items()})
        token = f"access-{len(self.calls)}"
        answer = self.answer or {"access_token": token, "expires_in": 3600, "api_domain": "https://www.zohoapis.eu"}
        return Response(orjson.dumps(answer), status=self.status, mimetype="application/json")

    def _revoke(self, request: Request) -> Response:
        self.given_back.append(parse_qs(request.get_data(as_text=True))["token"][0])
        return Response(orjson.dumps({"status": "success"}), status=self.status, mimetype="application/json")

    def _users(self, request: Request) -> Response:
        known = request.headers["Authorization"].removeprefix("Zoho-oauthtoken ") in self.valid
        refusal = {"code": "INVALID_TOKEN", "message": "invalid oauth token"}
        return Response(
            orjson.dumps(ME if known else refusal), status=200 if known else 401, mimetype="application/json"
        )


def make(cast: Cast, credentials: dict[str, str], **settings: Any) -> Integration:
    with tenant(cast.account):
        row = connections.connect(
            actor=OWNER, category="crm", provider_name="zoho", credentials=credentials, settings=settings
        )
        _ = row.credentials
    return row


def reread(cast: Cast, row: Integration) -> Integration:
    with tenant(cast.account):
        fresh = Integration.objects.get(pk=row.pk)
        _ = fresh.credentials
    return fresh
