"""What Django's error pages and mails may say of a request that failed: where, never what it held."""

from __future__ import annotations

from enum import Enum
from types import FrameType, ModuleType
from typing import Any
from uuid import UUID

from django.db import models
from django.http import HttpRequest
from django.views.debug import SafeExceptionReporterFilter

_SHOWN = (bool, int, float, UUID, Enum, type, ModuleType, models.Model)
"""Kinds whose text gives nothing away: our models print their ids."""


class SealedReporterFilter(SafeExceptionReporterFilter):
    """Local variables by their kind alone, and nothing that was posted: both hold decrypted values, in DEBUG too."""

    def get_traceback_frame_variables(self, request: HttpRequest | None, tb_frame: FrameType) -> Any:
        return [(name, _described(value)) for name, value in tb_frame.f_locals.items()]

    def get_post_parameters(self, request: HttpRequest | None) -> dict[str, Any]:
        return dict.fromkeys(request.POST, self.cleansed_substitute) if request is not None else {}


class _Kind:
    """Prints as ``<list of 3>``: what reports show of a value."""

    def __init__(self, value: Any) -> None:
        size = f" of {len(value)}" if isinstance(value, list | tuple | dict | set | str | bytes) else ""
        self._words = f"<{type(value).__qualname__}{size}>"

    def __repr__(self) -> str:
        return self._words


def _described(value: Any) -> Any:
    return value if value is None or isinstance(value, _SHOWN) else _Kind(value)
