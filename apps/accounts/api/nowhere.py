"""Addresses below /api/v1/ that are none."""

from __future__ import annotations

from typing import Any

from django.http import Http404, HttpRequest
from drf_spectacular.utils import extend_schema

from apps.accounts.api.views import APIResource


@extend_schema(exclude=True)
class NowhereView(APIResource):
    """404 as for any missing object, whatever the method; 401 first, as everywhere else."""

    permission_classes = []

    def http_method_not_allowed(self, request: HttpRequest, *args: Any, **kwargs: Any) -> Any:
        raise Http404
