"""Panels on an account's page that the upper floors add: below its settings, outside of their form."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from apps.accounts.models import Account


@dataclass(frozen=True)
class AccountPanel:
    """``read`` answers the template's context; it is called in the account's scope."""

    template: str
    read: Callable[[Account], dict[str, Any]]


_panels: list[AccountPanel] = []


def add_account_panel(panel: AccountPanel) -> None:
    """Put ``panel`` on every account's page; an app's admin package does this once."""
    _panels.append(panel)


def panels_of(account: Account) -> list[dict[str, Any]]:
    """Each panel's context with its ``template``, in the account's scope."""
    return [{"template": panel.template, **panel.read(account)} for panel in _panels]
