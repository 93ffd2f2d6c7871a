"""The API as its callers see it: JSON in, status and JSON out."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import orjson
from django.test import Client

from apps.accounts.models import Account, User
from apps.accounts.roles import Role
from tests.factories import make_api_key

BASE = "/api/v1/"


@dataclass(frozen=True)
class Answer:
    """What came back."""

    status: int
    headers: Any
    content: bytes

    @property
    def json(self) -> Any:
        return orjson.loads(self.content)

    @property
    def code(self) -> str:
        """The problem's code; fails when it is no problem."""
        assert self.headers["Content-Type"] == "application/problem+json", self.content
        assert set(self.json) == {"type", "title", "status", "detail", "code", "errors", "request_id"}
        assert self.json["status"] == self.status
        return str(self.json["code"])

    @property
    def faults(self) -> dict[str, str]:
        """``{field: code}`` of a refused body."""
        assert self.code == "validation_failed", self.content
        return {error["field"]: error["code"] for error in self.json["errors"]}

    @property
    def indistinct(self) -> bytes:
        """The body without the one thing in it that is the request's own."""
        return orjson.dumps({**self.json, "request_id": ""})


class ApiClient:
    """Calls with an API key, a session or nothing. ``csrf=False`` leaves the session's token out."""

    def __init__(self, *, key: str = "", user: User | None = None, csrf: bool = True, **headers: str) -> None:
        self._client = Client(enforce_csrf_checks=True)
        self._headers = {name.replace("_", "-"): value for name, value in headers.items()}
        if key:
            self._headers["Authorization"] = f"Bearer {key}"
        if user is not None:
            self._client.force_login(user)
            if csrf:
                self._client.cookies["csrftoken"] = token = "c" * 32
                self._headers["X-CSRFToken"] = token

    def __call__(self, method: str, path: str, body: Any = None, /, **headers: str) -> Answer:
        """``path`` is relative to /api/v1/; ``body`` is sent as JSON (bytes as they are); ``_`` in headers is ``-``."""
        sent = {**self._headers, **{name.replace("_", "-"): value for name, value in headers.items()}}
        content_type = sent.pop("Content-Type", "application/json" if body is not None else "")
        data = b"" if body is None else body if isinstance(body, bytes) else orjson.dumps(body)
        response = self._client.generic(method, BASE + path, data, content_type, headers=sent)
        return Answer(response.status_code, response.headers, response.content)

    def get(self, path: str, **headers: str) -> Answer:
        return self("GET", path, **headers)

    def post(self, path: str, body: Any = None, **headers: str) -> Answer:
        return self("POST", path, body, **headers)

    def put(self, path: str, body: Any, **headers: str) -> Answer:
        return self("PUT", path, body, **headers)

    def patch(self, path: str, body: Any, **headers: str) -> Answer:
        return self("PATCH", path, body, **headers)

    def delete(self, path: str, **headers: str) -> Answer:
        return self("DELETE", path, **headers)


def by_key(account: Account, role: Role = Role.OWNER, **values: Any) -> ApiClient:
    """A client with a fresh key of this role."""
    return ApiClient(key=make_api_key(account, role, **values))
