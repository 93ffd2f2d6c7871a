"""The list of connections and of what can be connected: by category, searched, narrowed by state."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any
from urllib.parse import parse_qs, urlencode, urlsplit

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.template.loader import render_to_string

from apps.accounts.models import Account
from apps.accounts.pages.door import account_of, is_part, may, tenant_page
from apps.accounts.pages.shell import address
from apps.integrations.models import Integration
from apps.integrations.pages.cards import shelves

LONGEST = 100
KINDS = (
    ("", "All", ""),
    ("connected", "Connected", ""),
    ("attention", "Needs attention", "alert-circle"),
    ("disabled", "Disabled", ""),
    ("available", "Not connected", ""),
)


@dataclass(frozen=True)
class Wanted:
    """What somebody looks for: words, and a state."""

    q: str = ""
    kind: str = ""

    @classmethod
    def of(cls, values: Any) -> Wanted:
        """From the query of an address."""
        kind = values.get("kind", "")
        return cls(values.get("q", "").strip()[:LONGEST], kind if kind in {name for name, *_ in KINDS} else "")

    def url(self, account: Account) -> str:
        """The address of this list; what is as usual is left out."""
        given = {name: value for name, value in (("q", self.q), ("kind", self.kind)) if value}
        base = address(account, "integrations")
        return f"{base}?{urlencode(given)}" if given else base


@tenant_page("integrations.view")
def integrations(request: HttpRequest) -> HttpResponse:
    """The page, or for htmx the part of it that search and filters change."""
    wanted = Wanted.of(request.GET)
    context = list_context(request, wanted)
    if not is_part(request):
        return render(request, "integrations/connections/list.html", context)
    answer = render(request, "integrations/connections/results.html", context)
    answer["HX-Push-Url"] = wanted.url(account_of(request))
    return answer


def list_context(request: HttpRequest, wanted: Wanted) -> dict[str, Any]:
    """What the list's templates show."""
    account = account_of(request)
    everything = shelves(Integration.objects.all())
    words = wanted.q.casefold().split()
    cards = [card for shelf in everything for card in shelf.cards]
    shown = [
        replace(shelf, cards=found)
        for shelf in everything
        if (found := [c for c in shelf.cards if wanted.kind in {"", c.kind} and c.matches(words)])
    ]
    return {
        "wanted": wanted,
        "shelves": shown,
        "every_shelf": everything,
        "found": sum(len(shelf.cards) for shelf in shown),
        "total": len(cards),
        "chips": [
            {
                "kind": kind,
                "label": label,
                "icon": icon,
                "count": count,
                "on": kind == wanted.kind,
                "url": replace(wanted, kind=kind).url(account),
            }
            for kind, label, icon in KINDS
            if (count := sum(kind in {"", card.kind} for card in cards)) or kind in {"", wanted.kind}
        ],
        "connected": any(card.row is not None for card in cards),
        "all_url": address(account, "integrations"),
        "may_manage": may(request, "integrations.manage"),
    }


def is_on_list(request: HttpRequest) -> bool:
    """Whether htmx asks from the list, which can then be changed in place."""
    here = urlsplit(request.headers.get("HX-Current-URL", "")).path
    return is_part(request) and here == address(account_of(request), "integrations")


def shown_list(request: HttpRequest) -> Wanted:
    """What the list that htmx asks from is narrowed to."""
    query = parse_qs(urlsplit(request.headers.get("HX-Current-URL", "")).query)
    return Wanted.of({name: values[-1] for name, values in query.items()})


def list_beside(request: HttpRequest) -> str:
    """The list anew, to be put in its place beside the answer of a dialog."""
    context = {**list_context(request, shown_list(request)), "beside": True}
    return render_to_string("integrations/connections/results.html", context, request)


def chips_beside(request: HttpRequest) -> str:
    """The filters with their counts, beside the answer of a card."""
    context = {**list_context(request, shown_list(request)), "oob": True}
    return render_to_string("integrations/connections/chips.html", context, request)
