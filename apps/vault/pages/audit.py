"""The audit trail: newest first, filtered, told in sentences; as a file; and whether it is whole."""

from __future__ import annotations

from datetime import date, datetime
from typing import Any

from django.db import transaction
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseBase
from django.shortcuts import render
from django.utils import timezone

from apps.accounts import audit
from apps.accounts.jobs import enqueue
from apps.accounts.pages.door import account_of, done, is_part, tenant_page
from apps.accounts.pages.shell import address
from apps.accounts.streaming import stream_file
from apps.accounts.tenancy.middleware import actor_of
from apps.vault.audit import report
from apps.vault.audit.checks import AUDIT_VERIFY, last_check, state_of
from apps.vault.audit.selectors import entries, last_seq
from apps.vault.audit.sentences import Told, tell
from apps.vault.pages.audit_filters import Filters

LIMIT = 50
# htmx stops asking when it gets this status, and still swaps the answer in.
STOP_POLLING = 286
_MEDIA_TYPES = {"csv": "text/csv; charset=utf-8", "json": "application/json"}


@tenant_page("audit.view")
def trail(request: HttpRequest) -> HttpResponse:
    """The page; only rows when htmx asks for older entries. When filters change it takes its part of the page."""
    account, filters = account_of(request), Filters.of(request)
    before = _number(request.GET.get("before", ""))
    lines = entries(account.id, filters.criteria, before=before, limit=LIMIT + 1)
    more = len(lines) > LIMIT
    told = tell(lines[:LIMIT], account)
    base = address(account, "audit")
    context: dict[str, Any] = {
        "days": _by_day(told),
        # Rows that are added below others don't repeat the heading of the day those end with.
        "last_day": _day(request.GET.get("shown", "")),
        "filters": filters,
        "older_url": filters.url(base, before=told[-1].line.seq, shown=_date(told[-1]).isoformat()) if more else "",
        "newest_url": filters.url(base) if before else "",
        "zone": timezone.get_current_timezone_name(),
    }
    if is_part(request) and before is not None:
        return render(request, "vault/audit/more.html", context)
    context |= {
        "total": last_seq(account.id),
        "base": base,
        "choices": filters.choices(account.id),
        "csv_url": filters.url(address(account, "audit_report"), format="csv"),
        "json_url": filters.url(address(account, "audit_report"), format="json"),
        **_proof(request),
    }
    answer = render(request, "vault/audit/trail.html", context)
    if is_part(request):
        answer["HX-Push-Url"] = filters.url(base)
    return answer


@tenant_page("audit.view")
def download(request: HttpRequest) -> HttpResponseBase:
    """The filtered trail as a file, which is itself recorded."""
    account, filters = account_of(request), Filters.of(request)
    kind = request.GET.get("format", "csv")
    if kind not in report.FORMATS:
        raise Http404("No such format.")
    changes = {"format": kind, **filters.given()}
    with transaction.atomic():
        audit.record("audit.exported", actor=actor_of(request), changes=changes)
    name = f"audit-{account.slug}-{timezone.localdate():%Y-%m-%d}.{kind}"
    pieces = report.FORMATS[kind](account.id, filters.criteria)
    return stream_file(request, pieces, name=name, content_type=_MEDIA_TYPES[kind])


@tenant_page("audit.view", "GET", "POST")
def proof(request: HttpRequest) -> HttpResponse:
    """Whether the chain is whole: GET shows how far the check is, POST begins one."""
    if request.method == "POST":
        enqueue(AUDIT_VERIFY, actor=actor_of(request), dedupe_key=AUDIT_VERIFY)
        if not is_part(request):
            return done(request, address(account_of(request), "audit"))
    context = _proof(request)
    running = context["proof_state"] == "run"
    status = 200 if running or request.method == "POST" else STOP_POLLING
    return render(request, "vault/audit/proof.html", context, status=status)


def _proof(request: HttpRequest) -> dict[str, Any]:
    """``proof_state`` is off (never checked), run, ok, bad, or warn (the check itself failed)."""
    job = last_check()
    return {"proof_state": state_of(job), "proof_job": job, "proof": job.result if job else None}


def _by_day(told: list[Told]) -> list[tuple[date, list[Told]]]:
    """Entries under the day they happened on, in the reader's zone."""
    days: list[tuple[date, list[Told]]] = []
    for entry in told:
        if not days or days[-1][0] != _date(entry):
            days.append((_date(entry), []))
        days[-1][1].append(entry)
    return days


def _date(told: Told) -> date:
    return timezone.localtime(told.line.at).date()


def _day(text: str) -> date | None:
    try:
        return datetime.strptime(text, "%Y-%m-%d").date()
    except ValueError:
        return None


def _number(text: str) -> int | None:
    return int(text) if text.isdecimal() and len(text) < 19 else None
