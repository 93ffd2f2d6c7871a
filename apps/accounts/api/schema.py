"""The OpenAPI description and its page, and what REST framework's introspection can't know about our API."""

from __future__ import annotations

from functools import cache
from typing import Any

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.decorators.csrf import ensure_csrf_cookie
from django.views.decorators.http import require_safe
from drf_spectacular.extensions import OpenApiAuthenticationExtension
from drf_spectacular.generators import SchemaGenerator
from drf_spectacular.openapi import AutoSchema
from drf_spectacular.utils import OpenApiParameter, extend_schema
from rest_framework import serializers
from rest_framework.request import Request

from apps.accounts.api.preconditions import answer_body
from apps.accounts.api.problems import CONTENT_TYPE, TITLES
from apps.accounts.api.rendering import to_json
from apps.accounts.api.views import APIResource


class FieldErrorSerializer(serializers.Serializer[Any]):
    """What is wrong with one value."""

    field = serializers.CharField(help_text="Path of the value; empty for the body as a whole.")
    code = serializers.CharField()
    detail = serializers.CharField()


class ProblemSerializer(serializers.Serializer[Any]):
    """Problem details (RFC 9457)."""

    type = serializers.CharField()
    title = serializers.CharField()
    status = serializers.IntegerField()
    detail = serializers.CharField()
    code = serializers.CharField(help_text="Stable: programs decide by this.")
    errors = FieldErrorSerializer(many=True)  # type: ignore[assignment]
    request_id = serializers.CharField(help_text="Quote it when you ask for help.")


IDEMPOTENCY_KEY = OpenApiParameter(
    "Idempotency-Key",
    str,
    OpenApiParameter.HEADER,
    description="Sent again within 24 hours, the request is not done again but answered as before.",
)
IF_MATCH = OpenApiParameter(
    "If-Match", str, OpenApiParameter.HEADER, description="ETag of the object as you know it; 412 when it has changed."
)
IF_NONE_MATCH = OpenApiParameter(
    "If-None-Match", str, OpenApiParameter.HEADER, description="ETag of the object you have; 304 when it is the same."
)


class ResourceSchema(AutoSchema):
    """Adds what holds for every operation: the error's shape, and the headers that the frame understands."""

    def get_override_parameters(self) -> list[Any]:
        found = [*super().get_override_parameters()]
        if self.method == "POST":
            found.append(IDEMPOTENCY_KEY)
        if getattr(self.view, "is_single", self.path.endswith("}")):
            change = [IF_MATCH]
            found += {"GET": [IF_NONE_MATCH], "PUT": change, "PATCH": change, "DELETE": change}.get(self.method, [])
        return found

    def get_auth(self) -> list[Any]:
        # One of them is enough; the generator would ask for all together.
        return [{name: needs} for together in super().get_auth() for name, needs in together.items()]

    def get_operation(self, *args: Any, **kwargs: Any) -> Any:
        operation = super().get_operation(*args, **kwargs)
        if operation:
            problem = self.resolve_serializer(ProblemSerializer(), "response").ref
            operation["responses"]["default"] = {
                "description": "A problem; its `code` says which.",
                "content": {CONTENT_TYPE: {"schema": problem}},
            }
        return operation


class ActorScheme(OpenApiAuthenticationExtension):
    """How callers prove who they are."""

    target_class = "apps.accounts.api.authentication.ActorAuthentication"
    name = ["apiKey", "session"]  # type: ignore[assignment]

    def get_security_definition(self, auto_schema: Any) -> Any:
        key = {"type": "http", "scheme": "bearer", "bearerFormat": "sr_<key id>_<secret>"}
        session = {
            "type": "apiKey",
            "in": "cookie",
            "name": "sessionid",
            "description": "A signed-in browser. Writing needs the CSRF token as `X-CSRFToken`. Somebody in several "
            "accounts names one with `X-Account` (its slug or id).",
        }
        return [key, session]


def describe(result: dict[str, Any], **_: Any) -> dict[str, Any]:
    """Put the table of problem codes into the description."""
    rows = "\n".join(f"| `{code}` | {title} |" for code, title in sorted(TITLES.items()))
    result["info"]["description"] += f"\n\n### Problem codes\n\n| code | meaning |\n|---|---|\n{rows}\n"
    return result


@cache
def _schema() -> bytes:
    return to_json(SchemaGenerator().get_schema(request=None, public=True))


class SchemaView(APIResource):
    """The description itself: the same for everybody, so nobody has to sign in to read it."""

    authentication_classes = []
    permission_classes = []

    @extend_schema(exclude=True)
    def get(self, request: Request) -> HttpResponse:
        """OpenAPI 3.1 as JSON."""
        return answer_body(request, _schema())


@require_safe
@ensure_csrf_cookie
def docs(request: HttpRequest) -> HttpResponse:
    """The description as a page to read and to try requests on, with the session or an API key."""
    return render(request, "accounts/api_docs.html")
