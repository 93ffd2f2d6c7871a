"""The base of every API view inside an account."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache
from typing import Any, ClassVar, TypeVar

from django.core.exceptions import ImproperlyConfigured
from django.http import HttpRequest, HttpResponse, HttpResponseBase
from django.utils.cache import patch_vary_headers
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.views import APIView

from apps.accounts.actors import Actor
from apps.accounts.api.access import ActionAllowed
from apps.accounts.api.problems import FieldError, Problem, invalid
from apps.accounts.api.rendering import MEDIA_TYPE, to_json
from apps.accounts.call_limits import Spent
from apps.accounts.models import Account
from apps.accounts.permissions import known

_HANDLERS = ("get", "post", "put", "patch", "delete")
SerializerT = TypeVar("SerializerT", bound=serializers.Serializer[Any])


class APIResource(APIView):
    """What all addresses of the API have in common."""

    http_method_names = ["get", "head", *_HANDLERS[1:]]

    @property
    def default_response_headers(self) -> dict[str, str]:
        # REST framework would name the allowed methods in every answer; RFC 9110 wants them with 405.
        return {}

    def http_method_not_allowed(self, request: HttpRequest, *args: Any, **kwargs: Any) -> Any:
        allowed = [name.upper() for name in self.http_method_names if hasattr(self, name)]
        raise Problem(
            405, "method_not_allowed", f"Allowed: {', '.join(allowed)}.", headers={"Allow": ", ".join(allowed)}
        )

    def initial(self, request: Request, *args: Any, **kwargs: Any) -> None:
        super().initial(request, *args, **kwargs)
        for name, value in request.query_params.items():
            if "\0" in value or "\0" in name:
                raise invalid([FieldError(name, "null_characters_not_allowed", "NUL characters can't be searched.")])

    def finalize_response(  # type: ignore[override] # any HttpResponse is finalised, DRF's stubs know one
        self, request: Request, response: HttpResponseBase, *args: Any, **kwargs: Any
    ) -> HttpResponseBase:
        response = super().finalize_response(request, response, *args, **kwargs)  # type: ignore[arg-type]
        patch_vary_headers(response, ("Authorization", "Cookie", "X-Account"))
        response.headers.setdefault("Cache-Control", "private, no-cache")
        spent: Spent | None = getattr(request._request, "spent", None)
        if spent is not None:
            response.headers["X-RateLimit-Limit"] = str(spent.limit)
            response.headers["X-RateLimit-Remaining"] = str(spent.remaining)
            response.headers["X-RateLimit-Reset"] = str(int(spent.resets_at.timestamp()))
        return response


class AccountView(APIResource):
    """A resource of the account in scope.

    ``actions`` names what each method does, from ``permissions.ACTIONS``; a view whose handler has no action,
    or an unknown one, fails when it is declared.
    """

    actions: ClassVar[Mapping[str, str]] = {}
    reading: ClassVar[frozenset[str]] = frozenset({"GET"})
    """Methods that change nothing: a suspended account has them, too."""
    is_single: ClassVar[bool]
    """One object, with an ETag. Assumed of addresses that end with an id."""
    permission_classes = [ActionAllowed]

    def __init_subclass__(cls, **options: Any) -> None:
        super().__init_subclass__(**options)
        for name in _HANDLERS:
            if hasattr(cls, name) and name.upper() not in cls.actions:
                raise ImproperlyConfigured(f"{cls.__name__}.actions names no action for {name.upper()}.")
        for action in cls.actions.values():
            known(action)

    @property
    def actor(self) -> Actor:
        """Who calls."""
        actor: Actor = self.request._request.actor  # type: ignore[attr-defined]
        return actor

    @property
    def account(self) -> Account:
        """The account in scope, as the door found it."""
        account: Account = self.request._request.account  # type: ignore[attr-defined]
        return account

    def parameters(self, serializer: type[SerializerT]) -> dict[str, Any]:
        """The query string, read by ``serializer``. Raises ValidationError, also for an unknown parameter."""
        if not self.request.META.get("QUERY_STRING"):
            return dict(_defaults(serializer))
        return checked(serializer(data=self.request.query_params.dict()))

    def body(self, serializer: type[SerializerT], *, partial: bool = False) -> dict[str, Any]:
        """The body, read by ``serializer``. Raises ValidationError."""
        return checked(serializer(data=self.request.data, partial=partial))


@cache
def _defaults(serializer: type[serializers.Serializer[Any]]) -> dict[str, Any]:
    return checked(serializer(data={}))


def checked(serializer: serializers.Serializer[Any]) -> dict[str, Any]:
    """The values of a serializer. Raises ValidationError."""
    serializer.is_valid(raise_exception=True)
    values: dict[str, Any] = serializer.validated_data
    return values


def answer(content: Any, *, status: int = 200, headers: Mapping[str, str] | None = None) -> HttpResponse:
    """A JSON answer, written at once: REST framework's deferred rendering has nothing to add to it."""
    return HttpResponse(to_json(content), content_type=MEDIA_TYPE, status=status, headers=headers)
