"""``project``, ``project/provision`` and ``project/settings``. The project's key is in no answer."""

from __future__ import annotations

from typing import Any, ClassVar

from django.http import HttpResponse
from django.urls import reverse
from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.request import Request

from apps.accounts.api.jobs import JobSerializer, show_job
from apps.accounts.api.preconditions import answer_object, check_unchanged
from apps.accounts.api.problems import declare
from apps.accounts.api.serializers import Input, PassedOn, Text, Time
from apps.accounts.api.views import AccountView, answer
from apps.accounts.models import Account
from apps.integrations.models import AINativeProject
from apps.integrations.zerodb.provisioning import AlreadyReady, change_settings, project_of, request_provisioning

declare(AlreadyReady, 409, "already_provisioned", title="The account has its project already")


class ProjectFeaturesSerializer(serializers.Serializer[Any]):
    """What the project is used for."""

    semantic_search = serializers.BooleanField()
    smart_suggestions = serializers.BooleanField()
    agent_memory = serializers.BooleanField()


class ProjectSettingsSerializer(Input):
    """How the project works. Dimensions follow from the model."""

    embeddings_model = Text(max_length=200, required=False)
    vector_dimensions = serializers.IntegerField(required=False, min_value=1, max_value=100_000)
    auto_indexing = serializers.BooleanField(required=False)
    same_matter_from = serializers.FloatField(
        required=False,
        allow_null=True,
        help_text="The cosine from which texts count as being about the same matter, for suggested replies and similar "
        "conversations: 0.05 to 0.95, null for what fits the model.",
    )
    features = PassedOn(
        schema={"type": "object", "additionalProperties": {"type": "boolean"}},
        help_text="`semantic_search`, `smart_suggestions`, `agent_memory`; those left out stay as they are.",
    )


class ProjectSerializer(serializers.Serializer[Any]):
    """The account's AINative/ZeroDB project."""

    project_id = serializers.CharField(allow_null=True, help_text="Null until the project has been made.")
    status = serializers.ChoiceField(choices=AINativeProject.Status.choices)
    error = serializers.CharField(help_text="Why it is not ready or not up to date and what to do, or empty.")
    settings = ProjectSettingsSerializer()
    provisioned_at = Time(allow_null=True)


def show_project(project: AINativeProject) -> dict[str, Any]:
    """A project as outsiders read it."""
    return {
        "project_id": project.project_id or None,
        "status": project.status,
        "error": project.error,
        "settings": project.settings,
        "provisioned_at": project.provisioned_at,
    }


class ProjectView(AccountView):
    """The account's project."""

    is_single = True
    actions: ClassVar = {"GET": "project.view"}

    @extend_schema(operation_id="project_read", summary="Read the AI project", responses=ProjectSerializer)
    def get(self, request: Request) -> HttpResponse:
        """Where it has got to, and its settings."""
        return answer_object(request, show_project(project_of(self.account)))


class ProjectProvisionView(AccountView):
    """Asking for the project."""

    actions: ClassVar = {"POST": "project.provision"}

    @extend_schema(
        operation_id="project_provision",
        summary="Provision the AI project",
        request=None,
        responses={202: JobSerializer},
    )
    def post(self, request: Request) -> HttpResponse:
        """Try again now. Answers with the job; one that is under way already is answered with that one."""
        job = request_provisioning(account=self.account, actor=self.actor)
        return answer(show_job(job), status=202, headers={"Location": reverse("api:job", args=[job.id])})


class ProjectSettingsView(AccountView):
    """The project's settings."""

    is_single = True
    actions: ClassVar = {"PATCH": "project.update"}

    @extend_schema(
        operation_id="project_settings",
        summary="Change the AI project's settings",
        request=ProjectSettingsSerializer,
        responses=ProjectSerializer,
    )
    def patch(self, request: Request) -> HttpResponse:
        """Settings that are left out stay."""
        # The account first, as everybody who switches features does.
        Account.objects.select_for_update(no_key=True).only("id").get(pk=self.account.pk)
        project = AINativeProject.objects.select_for_update().get(pk=project_of(self.account).pk)
        check_unchanged(request, lambda: show_project(project))
        values = self.body(ProjectSettingsSerializer)
        return answer_object(request, show_project(change_settings(project, actor=self.actor, **values)))
