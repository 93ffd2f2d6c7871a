"""Finding conversations by what was said in them."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from typing import Any
from urllib.parse import urlencode
from uuid import UUID

from django.core.exceptions import ValidationError
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils import timezone

from apps.accounts.features import FeatureOff
from apps.accounts.metering import LimitReached, PriceUnknown
from apps.accounts.pages.door import account_of, is_part, tenant_page
from apps.accounts.pages.shell import address
from apps.accounts.tenancy.middleware import actor_of
from apps.chat.indexing.vectors import NoProject
from apps.chat.models import Inbox
from apps.chat.pages.inbox_filters import ANY, STATUS_CHOICES, Status, Wanted, conversation_url, uuid_or_nothing
from apps.chat.search.highlighting import Asked, Span, asked_in_account, pieces
from apps.chat.search.showing import ConversationHit
from apps.chat.selectors import ConversationFilter
from apps.chat.services.search import LONGEST_QUERY, MOST, Mode, search_conversations
from apps.integrations.outbound.errors import OutboundError
from apps.vault.models import Contact

LIMIT = 20
SEEN, BEFORE = 70, 40
"""Characters that are surely seen of a passage, and what is shown before a hit further on."""
PERIODS = {"": "Any time", "7": "Last 7 days", "30": "Last 30 days", "90": "Last 3 months", "365": "Last year"}
_NOT_READY = "Search by meaning is not ready: the AI project is being set up. Search by words works meanwhile."
_NO_ANSWER = "Search by meaning does not answer now. Search by words works meanwhile."


@dataclass(frozen=True)
class Narrowed:
    """Where to look: a status (or ANY), ids of an inbox and a contact, days back; "" for all."""

    status: str = ANY
    inbox: str = ""
    contact: str = ""
    days: str = ""

    @classmethod
    def of(cls, request: HttpRequest) -> Narrowed:
        """From the address; what makes no sense is left out."""
        given = request.GET
        return cls(
            status=given["status"] if given.get("status") in Status.values else ANY,
            inbox=uuid_or_nothing(given.get("inbox", "")),
            contact=uuid_or_nothing(given.get("contact", "")),
            days=given["days"] if given.get("days") in PERIODS else "",
        )

    @property
    def filter(self) -> ConversationFilter:
        """As the service takes it."""
        return ConversationFilter(
            statuses=() if self.status == ANY else (self.status,),
            inbox=UUID(self.inbox) if self.inbox else None,
            contact=UUID(self.contact) if self.contact else None,
            since=timezone.now() - timedelta(days=int(self.days)) if self.days else None,
        )

    @property
    def words(self) -> dict[str, str]:
        """The parts of an address that say so."""
        named = {"inbox": self.inbox, "contact": self.contact, "days": self.days}
        status = {} if self.status == ANY else {"status": self.status}
        return {**status, **{name: value for name, value in named.items() if value}}


@tenant_page("conversations.view")
def search(request: HttpRequest) -> HttpResponse:
    """A page of its own; for htmx what was found alone."""
    query, mode = request.GET.get("q", "").strip(), request.GET.get("mode", "")
    mode = mode if mode in Mode.values else Mode.BOTH.value
    narrowed = Narrowed.of(request)
    url = address(account_of(request), "inbox_search")
    context = {
        "q": query,
        "mode": mode,
        "modes": Mode.choices,
        "narrowed": narrowed,
        "statuses": [(ANY, "Any status"), *((value, words) for value, words in STATUS_CHOICES if value != ANY)],
        "inboxes": list(Inbox.objects.order_by("name")),
        "periods": PERIODS,
        "contact": Contact.objects.filter(pk=narrowed.contact).first() if narrowed.contact else None,
        "longest": LONGEST_QUERY,
        "search_url": url,
        "by_meaning_url": f"{url}?{urlencode({'q': query, 'mode': Mode.MEANING.value, **narrowed.words})}",
        "by_words_url": f"{url}?{urlencode({'q': query, 'mode': Mode.WORDS.value, **narrowed.words})}",
        "everywhere_url": f"{url}?{urlencode({'q': query, 'mode': mode})}" if narrowed.words else "",
        **(_found(request, query, Mode(mode), narrowed) if query else {}),
    }
    context["is_part"] = is_part(request)
    template = "chat/search/results.html" if is_part(request) else "chat/search/page.html"
    return render(request, template, context)


def _found(request: HttpRequest, query: str, mode: Mode, narrowed: Narrowed) -> dict[str, Any]:
    limit = MOST if request.GET.get("more") else LIMIT
    try:
        found = search_conversations(query, actor=actor_of(request), mode=mode, wanted=narrowed.filter, limit=limit)
    except ValidationError as error:
        return {"problem": " ".join(error.messages)}
    except FeatureOff as off:
        return {"problem": f"{off} Search by words works meanwhile.", "is_switched_off": True}
    except (LimitReached, PriceUnknown) as refusal:
        return {"problem": str(refusal), "is_limited": True}
    except NoProject:
        return {"problem": _NOT_READY}
    except OutboundError:
        return {"problem": _NO_ANSWER}
    if found.is_blind:
        return {"problem": " ".join(found.notices), "is_switched_off": True}
    asked = asked_in_account(query)
    hits = [
        {
            "is": hit,
            "url": conversation_url(request, hit.conversation.id, Wanted()),
            "passages": _shown(hit, asked),
        }
        for hit in found.hits
    ]
    more = {"q": query, "mode": mode.value, **narrowed.words, "more": 1}
    return {
        "hits": hits,
        "notices": found.notices,
        "asked": True,
        "is_full": len(hits) == limit,
        "more_url": f"?{urlencode(more)}" if len(hits) == limit < MOST else "",
    }


def _shown(hit: ConversationHit, asked: Asked) -> list[list[tuple[str, bool]]]:
    """The best passage, and of the others those that hold a word that was looked for; each in pieces to mark."""
    found = []
    for number, passage in enumerate(hit.passages):
        spans = asked.spans(passage.text)
        if spans or not number:
            found.append(list(pieces(*_from_where_it_stands(passage.text, spans))))
    return found


def _from_where_it_stands(text: str, spans: list[Span]) -> tuple[str, list[Span]]:
    """Two lines are shown: a text whose first hit lies beyond them begins a few words before it."""
    if not spans or spans[0][1] <= SEEN:
        return text, spans
    begin = text.rfind(" ", 0, max(0, spans[0][0] - BEFORE)) + 1
    return f"… {text[begin:]}", [(start - begin + 2, end - begin + 2) for start, end in spans]
