"""``jobs``, ``jobs/{id}`` and ``jobs/{id}/cancel``."""

from __future__ import annotations

from typing import Any, ClassVar
from uuid import UUID

from django.http import HttpResponse
from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.request import Request

from apps.accounts.api.pagination import Cursors, PageParameters, answer_list
from apps.accounts.api.preconditions import answer_object
from apps.accounts.api.problems import declare
from apps.accounts.api.serializers import Time, page_of
from apps.accounts.api.views import AccountView
from apps.accounts.models import Job
from apps.accounts.services.jobs import JobFinished, cancel_job, lock_job

_CURSORS = Cursors("jobs", UUID)
declare(JobFinished, 409, "job_finished", title="The job has ended already")


class JobSerializer(serializers.Serializer[Any]):
    """Work in the background. ``done`` of ``total`` units are finished; ``total`` may be unknown yet."""

    id = serializers.UUIDField()
    kind = serializers.CharField()
    status = serializers.ChoiceField(choices=Job.Status.choices)
    done = serializers.IntegerField()
    total = serializers.IntegerField(allow_null=True)
    error = serializers.CharField(help_text="The last failure in words, or empty.")
    result = serializers.JSONField(allow_null=True)
    attempts = serializers.IntegerField()
    created_by = serializers.UUIDField(source="created_by_id", allow_null=True)
    created_at = Time()
    started_at = Time(allow_null=True)
    finished_at = Time(allow_null=True)


class JobParameters(PageParameters):
    """Which jobs."""

    kind = serializers.CharField(required=False, max_length=60)
    status = serializers.ChoiceField(choices=Job.Status.choices, required=False)


def show_job(job: Job) -> Any:
    """A job as outsiders read it."""
    return JobSerializer(job).data


class JobsView(AccountView):
    """All jobs."""

    actions: ClassVar = {"GET": "jobs.view"}

    @extend_schema(
        operation_id="jobs_list", summary="List jobs", parameters=[JobParameters], responses=page_of(JobSerializer)
    )
    def get(self, request: Request) -> HttpResponse:
        """The latest first."""
        wanted = self.parameters(JobParameters)
        rows = Job.objects.filter(**{name: wanted[name] for name in ("kind", "status") if name in wanted})
        return answer_list(rows, wanted, _CURSORS, show_job)


class JobView(AccountView):
    """One job."""

    actions: ClassVar = {"GET": "jobs.view"}

    @extend_schema(operation_id="jobs_read", summary="Read a job", responses=JobSerializer)
    def get(self, request: Request, job_id: UUID) -> HttpResponse:
        """Ask again while it runs; an unchanged job is answered with 304 to ``If-None-Match``."""
        return answer_object(request, show_job(Job.objects.get(pk=job_id)))


class JobCancelView(AccountView):
    """Stopping a job."""

    actions: ClassVar = {"POST": "jobs.cancel_own"}

    @extend_schema(operation_id="jobs_cancel", summary="Cancel a job", request=None, responses=JobSerializer)
    def post(self, request: Request, job_id: UUID) -> HttpResponse:
        """What it has done so far stays. Members cancel the jobs they began, admins all."""
        return answer_object(request, show_job(cancel_job(lock_job(job_id), actor=self.actor)))
