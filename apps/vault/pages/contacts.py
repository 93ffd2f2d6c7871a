"""The list of contacts: the latest activity first, or by name; narrowed by type or to one exact value."""

from __future__ import annotations

from typing import Any
from urllib.parse import urlencode

from django.core.exceptions import ValidationError
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render

from apps.accounts.api.problems import Problem
from apps.accounts.keyset import Page, Position
from apps.accounts.pages.door import account_of, is_part, may, tenant_page
from apps.accounts.pages.shell import address
from apps.vault import selectors
from apps.vault.api.cursors import BY_NAME, BY_RECENCY
from apps.vault.contact_figures import ContactFigures, contact_figures
from apps.vault.models import Contact

LIMIT = 50
RECENT, NAME = "recent", "name"


@tenant_page("contacts.view")
def contacts(request: HttpRequest) -> HttpResponse:
    """The page, or for htmx the part of it that filters change."""
    figures = contact_figures()
    wanted = _wanted(request)
    page, problem = _read(request, wanted)
    context = {
        "wanted": wanted,
        "rows": [dict(zip(selectors.COLUMNS, row, strict=True)) for row in page.rows],
        "figures": figures,
        "chips": _chips(request, wanted, figures),
        "everybody_url": _url(request, wanted, type=""),
        "problem": problem,
        "words": _words(wanted, len(page.rows), figures),
        "next_url": _turn(request, wanted, page.next),
        "previous_url": _turn(request, wanted, page.previous),
        "all_url": address(account_of(request), "contacts"),
        "may_create": may(request, "contacts.create"),
        "may_import": may(request, "contacts.import"),
    }
    if not is_part(request):
        return render(request, "vault/contacts/list.html", context)
    answer = render(request, "vault/contacts/results.html", context)
    answer["HX-Push-Url"] = _url(request, wanted, cursor=request.GET.get("cursor", ""))
    return answer


def _wanted(request: HttpRequest) -> dict[str, str]:
    kind = request.GET.get("type", "")
    return {
        "q": request.GET.get("q", "").strip()[:254],
        "type": kind if kind in Contact.Type.values else "",
        "order": NAME if request.GET.get("order") == NAME else RECENT,
    }


def _read(request: HttpRequest, wanted: dict[str, str]) -> tuple[Page[Any], str]:
    """The page of rows, and why it is not in the order that was asked for ("" when it is)."""
    search = selectors.ContactSearch(
        q=wanted["q"], contact_type=wanted["type"], region=account_of(request).default_region
    )
    if wanted["order"] == NAME:
        try:
            return selectors.contacts_by_name(search, _position(request, BY_NAME), LIMIT), ""
        except ValidationError as error:
            wanted["order"] = RECENT
            return selectors.contacts_by_recency(search, None, LIMIT), " ".join(error.messages)
    return selectors.contacts_by_recency(search, _position(request, BY_RECENCY), LIMIT), ""


def _position(request: HttpRequest, cursors: Any) -> Position | None:
    try:
        position: Position | None = cursors.read(request.GET.get("cursor"))
    except Problem:
        return None  # an old bookmark: from the beginning
    return position


def _turn(request: HttpRequest, wanted: dict[str, str], position: Position | None) -> str:
    cursors = BY_NAME if wanted["order"] == NAME else BY_RECENCY
    cursor = cursors.write(position)
    return _url(request, wanted, cursor=cursor) if cursor else ""


def _chips(request: HttpRequest, wanted: dict[str, str], figures: ContactFigures) -> list[dict[str, Any]]:
    return [
        {
            "type": kind,
            "count": figures.by_type.get(kind, 0),
            "url": _url(request, wanted, type="" if kind == wanted["type"] else kind),
            "on": kind == wanted["type"],
        }
        for kind in Contact.Type.values
        if figures.by_type.get(kind) or kind == wanted["type"]
    ]


def _words(wanted: dict[str, str], shown: int, figures: ContactFigures) -> str:
    order = "By name" if wanted["order"] == NAME else "Latest activity first"
    if wanted["q"]:
        return f"{shown:,} found"
    total = figures.by_type.get(wanted["type"], 0) if wanted["type"] else figures.total
    return f"{order}. {shown:,} of {total:,}" if shown < total else f"{order}. All {total:,}"


def _url(request: HttpRequest, wanted: dict[str, str], **changes: str) -> str:
    """The address of this list with ``changes``; what is as usual is left out."""
    usual = {"q": "", "type": "", "order": RECENT, "cursor": ""}
    given = {name: value for name, value in {**wanted, **changes}.items() if value != usual[name]}
    base = address(account_of(request), "contacts")
    return f"{base}?{urlencode(given)}" if given else base
