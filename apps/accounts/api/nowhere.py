"""Addresses below /api/v1/ that are none."""

from __future__ import annotations

from typing import Any
from urllib.parse import quote

from django.http import Http404, HttpRequest, HttpResponse
from django.urls import resolve
from drf_spectacular.utils import extend_schema

from apps.accounts.api.views import APIResource


@extend_schema(exclude=True)
class NowhereView(APIResource):
    """404 as for any missing object, whatever the method; 401 first, as everywhere else."""

    permission_classes = []

    def http_method_not_allowed(self, request: HttpRequest, *args: Any, **kwargs: Any) -> Any:
        """An address that a slash too many keeps from being found is named (308 keeps method and body)."""
        address = request.path_info.rstrip("/")
        if address == request.path_info or resolve(address).url_name == "nowhere":
            raise Http404
        query = request.META.get("QUERY_STRING", "")
        return HttpResponse(status=308, headers={"Location": f"{quote(address)}?{query}" if query else quote(address)})
