"""What staff may do to objects: declared once, offered in lists and on the object's page, asked before it is done."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from contextlib import AbstractContextManager
from dataclasses import dataclass
from typing import Any

from django.contrib import messages
from django.core.exceptions import PermissionDenied, ValidationError
from django.db import transaction
from django.http import HttpRequest
from unfold.enums import ActionVariant

from apps.accounts.actors import Actor


def always(_: Any) -> bool:
    """Every object."""
    return True


@dataclass(frozen=True)
class Change:
    """One thing that staff may do. ``run`` calls a service in the object's scope and answers what happened, in words.

    ``label`` is the button (verb and object), ``consequence`` the sentence on the page that asks first. ``applies``
    says to which objects it can be done now; ``refusals`` are exceptions whose text is shown instead of an error page.
    """

    name: str
    label: str
    consequence: str
    run: Callable[[Any, Actor], str]
    applies: Callable[[Any], bool] = always
    icon: str = "chevron_right"
    danger: bool = False
    in_lists: bool = True
    refusals: tuple[type[Exception], ...] = ()

    @property
    def variant(self) -> ActionVariant:
        return ActionVariant.DANGER if self.danger else ActionVariant.DEFAULT


def carry_out(
    change: Change,
    rows: Iterable[Any],
    request: HttpRequest,
    actor: Actor,
    scope_of: Callable[[Any], AbstractContextManager[Any]],
) -> None:
    """Do ``change`` to each of ``rows``; each by itself, so that one refusal does not undo the others."""
    for row in rows:
        if not change.applies(row):
            messages.warning(request, f"{row}: left as it is, “{change.label.rstrip('…')}” does not apply.")
            continue
        try:
            with transaction.atomic(), scope_of(row):
                messages.success(request, change.run(row, actor))
        except ValidationError as error:
            messages.error(request, f"{row}: {' '.join(error.messages)}")
        except Exception as error:
            if not isinstance(error, (PermissionDenied, *change.refusals)):
                raise
            messages.error(request, f"{row}: {error}")
