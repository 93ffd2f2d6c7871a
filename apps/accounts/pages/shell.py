"""What every page inside an account shows around itself: account, role, sections, other accounts."""

from __future__ import annotations

from typing import Any

from django.http import HttpRequest
from django.urls import reverse
from django.utils.functional import SimpleLazyObject

from apps.accounts.models import Account
from apps.accounts.pages.registry import HEADINGS, Command, Section, registered
from apps.accounts.permissions import allows
from apps.accounts.selectors import memberships_of


def shell(request: HttpRequest) -> dict[str, Any]:
    """Context processor: ``shell``, worked out when a template first asks for it; nothing outside of an account."""
    if getattr(request, "account", None) is None or getattr(request, "membership", None) is None:
        return {}
    return {"shell": SimpleLazyObject(lambda: _shell(request))}


def address(account: Account, name: str = "dashboard", **kwargs: Any) -> str:
    """The address of one of the account's pages."""
    return reverse(f"app:{name}", kwargs={"account_slug": account.slug, **kwargs})


def _shell(request: HttpRequest) -> dict[str, Any]:
    account: Account = request.account  # type: ignore[attr-defined]
    actor = request.actor  # type: ignore[attr-defined]
    entries = [_entry(section, request) for section in registered(Section) if allows(actor, section.action)]
    return {
        "account": account,
        "home": address(account),
        "security": address(account, "security"),
        "role": request.membership.get_role_display(),  # type: ignore[attr-defined]
        "sections": [
            {"heading": heading, "entries": found}
            for heading in HEADINGS
            if (found := [entry for entry in entries if entry["heading"] == heading])
        ],
        "tabs": [entry for entry in entries if entry["short"]][:4],
        "actions": [
            {"url": address(account, command.url_name), "icon": command.icon, "label": command.label}
            for command in registered(Command)
            if allows(actor, command.action) and account.status == Account.Status.ACTIVE
        ],
        "places": [
            {
                "id": place.account_id,
                "name": place.account.name,
                "role": place.get_role_display(),
                "url": address(place.account),
                "current": place.account_id == account.id,
            }
            for place in memberships_of(request.user)  # type: ignore[arg-type]
        ],
    }


def _entry(section: Section, request: HttpRequest) -> dict[str, Any]:
    here = request.resolver_match.url_name or "" if request.resolver_match else ""
    return {
        "heading": section.heading,
        "url": address(request.account, section.url_name),  # type: ignore[attr-defined]
        "icon": section.icon,
        "label": section.label,
        "short": section.tab,
        "key": section.url_name,
        "count": section.count(request) if section.count else None,
        "current": here == section.url_name or bool(section.family and here.startswith(section.family)),
    }
