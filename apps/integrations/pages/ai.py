"""AI features: the switches, what they were used for, and the project they live in. Its key is on no page."""

from __future__ import annotations

from typing import Any

from django import forms
from django.core.exceptions import ValidationError
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render

from apps.accounts.models import Job
from apps.accounts.pages.door import account_of, done, is_part, may, tenant_page
from apps.accounts.pages.forms import add_errors
from apps.accounts.pages.shell import address
from apps.accounts.permissions import require
from apps.accounts.tenancy.middleware import actor_of
from apps.integrations.models import AINativeProject
from apps.integrations.pages import ai_features
from apps.integrations.zerodb.embedding import accepted_models
from apps.integrations.zerodb.provisioning import AlreadyReady, change_settings, project_of, request_provisioning
from apps.integrations.zerodb.provisioning.requesting import KIND

Status = AINativeProject.Status
# htmx stops asking when it gets this status, and still swaps the answer in.
STOP_POLLING = 286
STATES = {
    Status.PENDING: ("info", "Waiting"),
    Status.PROVISIONING: ("run", "Being set up"),
    Status.READY: ("ok", "Ready"),
    Status.FAILED: ("bad", "Failed"),
    Status.SUSPENDED: ("warn", "Suspended"),
}


def state_of(project: AINativeProject) -> tuple[str, str]:
    """Kind and words of the badge."""
    return ("warn", "At another service") if project.is_elsewhere else STATES[Status(project.status)]


class SettingsForm(forms.Form):
    """What admins decide. The number of dimensions follows from the model."""

    embeddings_model = forms.ChoiceField(label="Model that reads your texts")
    auto_indexing = forms.BooleanField(required=False, label="Index new messages automatically")
    same_matter_from = forms.FloatField(
        required=False, label="How alike texts must be", widget=forms.NumberInput(attrs={"step": "0.01"})
    )

    def __init__(self, *args: Any, current: str, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        names = [model.name for model in accepted_models()]
        known = names if current in names else [current, *names]
        self.fields["embeddings_model"].choices = [(name, name) for name in known]  # type: ignore[attr-defined]


@tenant_page("project.view", "GET", "POST")
def ai(request: HttpRequest) -> HttpResponse:
    """The page; for htmx, which watches the project being set up, only its state. POST saves the settings."""
    if request.method == "POST":
        require(actor_of(request), "project.update")
    project = project_of(account_of(request))
    if is_part(request) and request.method == "GET":
        context = _context(request, project)
        # When it has become ready the whole page has more to show.
        if project.is_ready:
            return HttpResponse(status=204, headers={"HX-Refresh": "true"})
        return render(request, "integrations/ai/state.html", context, status=200 if context["moving"] else STOP_POLLING)
    form = _form(request, project)
    if request.method == "POST" and form.is_valid():
        try:
            change_settings(project, actor=actor_of(request), **form.cleaned_data)
        except ValidationError as error:
            add_errors(form, error)
        else:
            return done(request, address(account_of(request), "ai"), "Saved. It counts from the next text on.")
    context = {**_context(request, project), **ai_features.cards(request), "form": form}
    context["panels_always"] = ai_features.panels(request, "ai-always")
    if project.is_ready:
        context |= ai_features.use_context(request)
    return render(request, "integrations/ai/page.html", context, status=422 if form.errors else 200)


@tenant_page("project.provision", "POST")
def provision(request: HttpRequest) -> HttpResponse:
    """Try again now, without waiting for the next automatic try."""
    account = account_of(request)
    try:
        request_provisioning(account=account, actor=actor_of(request))
    except AlreadyReady:
        return done(request, address(account, "ai"), "The project is ready already.")
    return done(request, address(account, "ai"), "It is being tried now.")


def _context(request: HttpRequest, project: AINativeProject) -> dict[str, Any]:
    jobs = Job.objects.filter(kind=KIND, status__in=[Job.Status.QUEUED, Job.Status.RUNNING])
    job = jobs.order_by("-created_at").first()
    state, words = state_of(project)
    moving = job is not None and not project.is_ready
    may_provision = may(request, "project.provision")
    glyph, heading, cause = _words(project, moving)
    return {
        "project": project,
        "glyph": glyph,
        "heading": heading,
        "cause": cause,
        "may_try": may_provision and project.status != Status.SUSPENDED and (not moving or bool(project.error)),
        "state": state,
        "words": words,
        "job": job,
        "moving": moving,
        "may_update": may(request, "project.update"),
    }


def _words(project: AINativeProject, moving: bool) -> tuple[str, str, str]:
    """Icon, heading and cause of a project that is not ready; the cause is in the service's own words."""
    if project.is_elsewhere and not moving:
        cause = "This installation uses another AI service now, which does not know your project. Set it up there: "
        return "sparkles", "Your AI project lies at another service", f"{cause}everything is indexed anew."
    if project.status == Status.FAILED:
        return "alert-circle", "The AI project could not be set up", project.error
    if project.status == Status.SUSPENDED:
        usual = "Nothing in it is lost. Your operator can switch it on again."
        return "player-pause", "The AI project is suspended", project.error or usual
    if project.error:
        return "sparkles", "The AI project is not there yet", project.error
    if not moving:
        return "sparkles", "There is no AI project yet", "Nothing is setting it up. An owner or an admin can begin."
    usual = "This takes a few seconds and goes on when you leave the page."
    return "sparkles", "Your AI project is being set up", usual


def _form(request: HttpRequest, project: AINativeProject) -> SettingsForm:
    chosen = {name: project.settings.get(name) for name in ("embeddings_model", "auto_indexing", "same_matter_from")}
    data = request.POST if request.method == "POST" else None
    return SettingsForm(data, initial=chosen, current=str(chosen["embeddings_model"]))
