"""``audit``, ``audit/report`` and ``audit/proof``."""

from __future__ import annotations

from typing import Any, ClassVar
from uuid import UUID

from django.http import HttpResponse, HttpResponseBase
from django.utils import timezone
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.negotiation import BaseContentNegotiation
from rest_framework.request import Request

from apps.accounts.api.jobs import JobSerializer, show_job
from apps.accounts.api.pagination import Cursors, PageParameters, answer_page
from apps.accounts.api.preconditions import answer_object
from apps.accounts.api.serializers import Parameters, Time, page_of
from apps.accounts.api.views import AccountView, answer
from apps.accounts.audit import record
from apps.accounts.jobs import enqueue
from apps.accounts.keyset import Position, cut
from apps.accounts.streaming import stream_file
from apps.vault.audit import report, selectors
from apps.vault.audit.checks import AUDIT_VERIFY, last_check, state_of
from apps.vault.models import AuditHead

MAX_SEQ = 2**63 - 1
_CURSORS = Cursors("audit", int)
_TYPES = {"csv": "text/csv; charset=utf-8", "json": "application/json"}


class AuditEntrySerializer(serializers.Serializer[Any]):
    """One thing that happened. ``changes`` maps a field to ``[before, after]`` or to a fact."""

    id = serializers.UUIDField()
    seq = serializers.IntegerField(help_text="1, 2, 3 … without a gap.")
    at = Time()
    action = serializers.CharField()
    actor = serializers.CharField()
    actor_kind = serializers.ChoiceField(choices=selectors.ACTOR_KINDS)
    actor_id = serializers.UUIDField(allow_null=True)
    entity_type = serializers.CharField()
    entity_id = serializers.CharField()
    entity = serializers.CharField()
    changes = serializers.DictField()
    ip = serializers.CharField(allow_null=True)
    user_agent = serializers.CharField()
    request_id = serializers.CharField()
    hash = serializers.CharField(help_text="MAC over the entry and the one before it.")


class _Conditions(Parameters):
    entity = serializers.CharField(required=False, max_length=130, help_text="A type (`contact`), an id, or `type:id`.")
    actor = serializers.CharField(
        required=False, max_length=254, help_text="An id, a kind (`staff`) or the e-mail of a person."
    )
    action = serializers.CharField(required=False, max_length=80, help_text="`contact.created`, or `contact.*`.")

    def get_fields(self) -> dict[str, Any]:
        # "from" is a word of Python's own, so it can't be an attribute of the class.
        times = {
            "from": Time(required=False, help_text="Not before this time."),
            "to": Time(required=False, help_text="Before this time."),
        }
        return {**super().get_fields(), **times}


class AuditParameters(_Conditions, PageParameters):
    """Which entries."""


class ReportParameters(_Conditions):
    """Which entries, and how they are written."""

    format = serializers.ChoiceField(choices=sorted(report.FORMATS), default="csv")


class AuditView(AccountView):
    """The account's trail."""

    actions: ClassVar = {"GET": "audit.view"}

    @extend_schema(
        operation_id="audit_list",
        summary="Read the audit trail",
        parameters=[AuditParameters],
        responses=page_of(AuditEntrySerializer),
    )
    def get(self, request: Request) -> HttpResponse:
        """The latest entries first."""
        wanted = self.parameters(AuditParameters)
        position = _CURSORS.read(wanted.get("cursor"))
        found = _entries(self.account.id, _criteria(wanted), position, wanted["limit"] + 1)
        page = cut(found, position, wanted["limit"], lambda line: (line.seq,))
        return answer_page(page, _CURSORS, selectors.Line._asdict)


class AnyFormat(BaseContentNegotiation):
    """For answers whose format is a parameter of the address: ``Accept`` is not asked."""

    def select_parser(self, request: Request, parsers: Any) -> Any:
        return parsers[0]

    def select_renderer(self, request: Request, renderers: Any, format_suffix: str | None = None) -> Any:
        return renderers[0], renderers[0].media_type


class AuditReportView(AccountView):
    """The account's trail as a file."""

    actions: ClassVar = {"GET": "audit.view"}
    content_negotiation_class = AnyFormat

    @extend_schema(
        operation_id="audit_report",
        summary="Download the audit trail",
        parameters=[ReportParameters],
        responses={
            (200, "text/csv"): OpenApiTypes.STR,
            (200, "application/json"): AuditEntrySerializer(many=True),
        },
    )
    def get(self, request: Request) -> HttpResponseBase:
        """All entries that match, the oldest first, as CSV or as one JSON array. Taking it is an entry itself."""
        wanted = self.parameters(ReportParameters)
        kind = wanted["format"]
        record("audit.exported", actor=self.actor, changes={name: str(value) for name, value in wanted.items()})
        pieces = report.FORMATS[kind](self.account.id, _criteria(wanted))
        name = f"audit-{self.account.slug}-{timezone.now():%Y-%m-%d}.{kind}"
        return stream_file(request._request, pieces, name=name, content_type=_TYPES[kind])


class ProofSerializer(serializers.Serializer[Any]):
    """Whether the trail is whole, as the last check found it, and where it ends now."""

    status = serializers.ChoiceField(choices=["not_checked", "running", "whole", "broken", "failed"])
    checked_at = Time(allow_null=True)
    entries = serializers.IntegerField(help_text="Read by the last check.")
    faults = serializers.ListField(child=serializers.CharField(), help_text="The first ones, in words.")
    more_faults = serializers.IntegerField()
    error = serializers.CharField(help_text="Why the check itself failed; empty otherwise.")
    last_seq = serializers.IntegerField(help_text="Of the latest entry.")
    last_hash = serializers.CharField(
        help_text="Keep it with `last_seq` where nobody of the operator can write: a trail that was cut and grew again "
        "has another hash there."
    )


class AuditProofView(AccountView):
    """Whether the account's trail is whole."""

    is_single = True
    actions: ClassVar = {"GET": "audit.view", "POST": "audit.view"}

    @extend_schema(operation_id="audit_proof", summary="Read whether the trail is whole", responses=ProofSerializer)
    def get(self, request: Request) -> HttpResponse:
        """What the last check found. Begin a new one by POST."""
        return answer_object(request, show_proof())

    @extend_schema(operation_id="audit_prove", summary="Check the trail", request=None, responses={202: JobSerializer})
    def post(self, request: Request) -> HttpResponse:
        """Every entry is compared with its MAC and with the one before. Answers the job."""
        job = enqueue(AUDIT_VERIFY, actor=self.actor, dedupe_key=AUDIT_VERIFY)
        return answer(show_job(job), status=202)


_STATES = {"off": "not_checked", "run": "running", "ok": "whole", "bad": "broken", "warn": "failed"}


def show_proof() -> dict[str, Any]:
    """The last check as outsiders read it."""
    job = last_check()
    state = state_of(job)
    found = (job.result if job else None) or {}
    head = AuditHead.objects.get()
    return {
        "status": _STATES[state],
        "checked_at": job.finished_at if job else None,
        "entries": found.get("entries", 0),
        "faults": found.get("faults", []),
        "more_faults": found.get("more_faults", 0),
        "error": job.error if job and state == "warn" else "",
        "last_seq": head.seq,
        "last_hash": bytes(head.hash).hex(),
    }


def _criteria(wanted: dict[str, Any]) -> selectors.Criteria:
    return selectors.Criteria(
        entity=wanted.get("entity", ""),
        actor=wanted.get("actor", ""),
        action=wanted.get("action", ""),
        since=wanted.get("from"),
        until=wanted.get("to"),
    )


def _entries(trail: UUID, criteria: selectors.Criteria, position: Position | None, limit: int) -> list[selectors.Line]:
    if position is None:
        return selectors.entries(trail, criteria, limit=limit)
    (seq,) = position.key
    if position.backwards:
        return selectors.entries_after(trail, criteria, after=seq, upto=MAX_SEQ, limit=limit)
    return selectors.entries(trail, criteria, before=seq, limit=limit)
