"""Answers that the team keeps ready."""

from __future__ import annotations

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render

from apps.accounts.pages.door import tenant_page
from apps.chat.models import CannedResponse


@tenant_page("canned_responses.view")
def pick(request: HttpRequest) -> HttpResponse:
    """All of them as options of the composer's list."""
    return render(request, "chat/inbox/canned_options.html", {"canned": CannedResponse.objects.order_by("short_code")})
