"""Jobs of all accounts."""

from __future__ import annotations

from typing import Any

from django.contrib import admin
from django.db.models import QuerySet
from django.http import HttpRequest
from unfold.contrib.filters.admin import AutocompleteSelectFilter, ChoicesDropdownFilter, RangeDateTimeFilter
from unfold.decorators import display

from apps.accounts.actors import Actor
from apps.accounts.admin.base import PlatformModelAdmin
from apps.accounts.admin.changes import Change
from apps.accounts.admin.site import site
from apps.accounts.jobs.registry import kinds, label_of
from apps.accounts.models import Job
from apps.accounts.services.jobs import JobFinished, JobNotFailed, cancel_job, lock_job, retry_job

STATUS_LABELS = {
    Job.Status.QUEUED.label: "info",
    Job.Status.RUNNING.label: "info",
    Job.Status.DONE.label: "success",
    Job.Status.FAILED.label: "danger",
    Job.Status.CANCELLED.label: "warning",
}


def _called(job: Job) -> str:
    label = label_of(job.kind)
    return label[:1].upper() + label[1:]


def _retried(job: Job, actor: Actor) -> str:
    retry_job(lock_job(job.pk), actor=actor)
    return f"{_called(job)} of {job.account.name} is in line again."


def _cancelled(job: Job, actor: Actor) -> str:
    cancel_job(lock_job(job.pk), actor=actor)
    return f"{_called(job)} of {job.account.name} is cancelled."


class KindFilter(admin.SimpleListFilter):
    """By kind, from the registry: no look through the whole table."""

    title = "kind"
    parameter_name = "kind"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        return [(name, label_of(name)) for name in kinds()]

    def queryset(self, request: HttpRequest, queryset: QuerySet[Job]) -> QuerySet[Job]:
        return queryset.filter(kind=self.value()) if self.value() else queryset


@admin.register(Job, site=site)
class JobAdmin(PlatformModelAdmin):
    """Work in the background. Payloads hold ids and settings, never personal data."""

    list_display = ("work", "account", "state", "progress", "attempts", "problem", "created_at", "finished_at")
    list_filter = (
        ("status", ChoicesDropdownFilter),
        KindFilter,
        ("account", AutocompleteSelectFilter),
        ("created_at", RangeDateTimeFilter),
    )
    list_select_related = ("account",)
    search_fields = ("kind", "account__name", "error")
    search_help_text = "Kind, account or words of the error"
    ordering = ("-created_at",)
    fields = (
        "work",
        "kind",
        "account",
        "state",
        "progress",
        "error",
        "attempts",
        "next_attempt_at",
        "heartbeat_at",
        "payload",
        "result",
        "created_by",
        "created_at",
        "started_at",
        "finished_at",
    )
    readonly_fields = fields
    changes = (
        Change(
            "retry",
            "Try again…",
            "The job starts where it stopped, with all its attempts. Work that was done is not done twice.",
            _retried,
            applies=lambda job: job.status in {Job.Status.FAILED, Job.Status.CANCELLED},
            icon="replay",
            refusals=(JobNotFailed,),
        ),
        Change(
            "cancel",
            "Cancel…",
            "A running attempt stops at its next step; what it finished stays.",
            _cancelled,
            applies=lambda job: not job.is_finished,
            icon="cancel",
            danger=True,
            refusals=(JobFinished,),
        ),
    )

    def get_queryset(self, request: HttpRequest) -> QuerySet[Job]:
        return super().get_queryset(request).select_related("account", "created_by")

    @display(description="Work", ordering="kind")
    def work(self, job: Job) -> str:
        return _called(job)

    @display(description="Status", ordering="status", label=STATUS_LABELS)
    def state(self, job: Job) -> str:
        return job.get_status_display()

    @display(description="Progress")
    def progress(self, job: Job) -> str:
        if job.total:
            return f"{job.done:,} of {job.total:,}"
        return f"{job.done:,}" if job.done else "–"

    @display(description="Last error")
    def problem(self, job: Job) -> str:
        return job.error if len(job.error) <= 80 else f"{job.error[:79]}…"
