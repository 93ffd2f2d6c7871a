"""The door for deliveries: nobody signs in here, so every request is judged by its signature alone.

Whoever asks learns nothing of what there is: an address without a connection, a connection that is switched off, a
service that sends nothing, and a wrong signature are answered with the same bytes after the same time.
"""

from __future__ import annotations

import time
from datetime import UTC, datetime
from uuid import UUID

from django.conf import settings
from django.core.exceptions import RequestDataTooBig
from django.http import HttpRequest, HttpResponse
from django.http.request import RawPostDataException, UnreadablePostError
from django.views.decorators.csrf import csrf_exempt
from django.views.decorators.http import require_http_methods

from apps.accounts.request_ids import client_ip
from apps.integrations.providers.webhooks import Delivery, Received
from apps.integrations.webhooks import refusals
from apps.integrations.webhooks.receiving import take

MAXIMUM_BODY = 1024 * 1024
REFUSAL_SECONDS = 0.1
"""How long every refusal takes at least: more than the work for a connection that is there."""


@csrf_exempt
@require_http_methods(["GET", "HEAD", "POST"])
def provider_delivery(request: HttpRequest, integration_id: UUID) -> HttpResponse:
    """Take a delivery for the connection. 200 when it is the service's own, 400 when it is not, 413, 429."""
    started = time.monotonic()
    caller = client_ip(request) or ""
    wait = refusals.wait_for(integration_id, caller)
    if wait:
        return HttpResponse("Too many deliveries.\n", status=429, content_type="text/plain", headers=_retry(wait))
    body = _body(request)
    if body is None:
        return HttpResponse("The delivery is too large.\n", status=413, content_type="text/plain")
    received = take(integration_id, _delivery(request, body))
    if received is None:
        refusals.count(integration_id, caller)
        # Not a lock against guessing (ids and signatures are too long for that): it hides which of the reasons it was.
        time.sleep(max(0.0, REFUSAL_SECONDS - (time.monotonic() - started)))
        return HttpResponse("The delivery was not accepted.\n", status=400, content_type="text/plain")
    return _answer(received)


def _answer(received: Received) -> HttpResponse:
    response = HttpResponse(received.reply, content_type=f"{received.reply_type}; charset=utf-8")
    response.headers["Cache-Control"] = "no-store"
    return response


def _body(request: HttpRequest) -> bytes | None:
    """The body, or None for one that is too large."""
    try:
        if int(request.headers.get("Content-Length") or 0) > MAXIMUM_BODY:
            return None
        body = request.body
    except (ValueError, RequestDataTooBig, RawPostDataException, UnreadablePostError):
        return None
    return body if len(body) <= MAXIMUM_BODY else None


def _delivery(request: HttpRequest, body: bytes) -> Delivery:
    query = request.META.get("QUERY_STRING", "")
    # By the address that services are given, not by the Host header, which the sender writes.
    url = f"{settings.BASE_URL}{request.path}" + (f"?{query}" if query else "")
    headers = {name.lower(): value for name, value in request.headers.items()}
    return Delivery(str(request.method), url, headers, body, datetime.now(UTC))


def _retry(seconds: int) -> dict[str, str]:
    return {"Retry-After": str(seconds)}
