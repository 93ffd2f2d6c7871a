"""How far the index of conversations is, on the page "AI features", and building it anew."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from django.core.exceptions import ValidationError
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render

from apps.accounts.features.asking import reason_off
from apps.accounts.models import Job
from apps.accounts.pages.door import account_of, dialog, done, is_part, may, tenant_page
from apps.accounts.pages.shell import address
from apps.accounts.tenancy.middleware import actor_of
from apps.chat import features
from apps.chat.features import SEMANTIC_SEARCH
from apps.chat.indexing.changes import is_wanted
from apps.chat.indexing.generations import chosen_model, indexable
from apps.chat.indexing.progress import IndexProgress, index_progress
from apps.chat.indexing.reindexing import KIND, go_on_now, reindex
from apps.integrations.zerodb.embedding import UnknownModel, resolve_model

# htmx stops asking when it gets this status, and still swaps the answer in.
STOP_POLLING = 286


@dataclass(frozen=True)
class Standing:
    """How the index stands: one of the five states with its word, and a sentence. ``moving``: it changes by itself."""

    state: str
    word: str
    sentence: str
    moving: bool = False


def read(request: HttpRequest) -> dict[str, Any]:
    """The part of the page "AI features"."""
    progress, chosen = index_progress(), chosen_model()
    job = Job.objects.filter(kind=KIND).exclude(status=Job.Status.DONE).order_by("-created_at").first()
    job = job if progress.problem else None
    standing = standing_of(request, progress, job)
    is_searched = features.is_wanted(SEMANTIC_SEARCH, account_of(request))
    may_rebuild = is_searched and may(request, "project.update")
    is_other = is_searched and bool(progress.model) and chosen != progress.model and not progress.is_rebuilding
    return {
        "progress": progress,
        "standing": standing,
        "job": job,
        "model": progress.model or chosen,
        "dimensions": _dimensions(progress.model or chosen),
        # Texts are still compared by the model before: the choice counts from the next index on.
        "other_model": chosen if is_other else "",
        "may_rebuild": may_rebuild,
        "may_go_on": may(request, "project.update") and job is not None and job.status != Job.Status.RUNNING,
    }


def standing_of(request: HttpRequest, progress: IndexProgress, job: Job | None) -> Standing:
    """The state in words."""
    account = account_of(request)
    left = progress.total - progress.indexed
    # Without vectors of an index before this one, nothing is found yet.
    meanwhile = "Search works meanwhile on the previous index." if progress.vectors else "Search finds what is in."
    if not is_wanted(account.id):
        off = reason_off(SEMANTIC_SEARCH.name, account)
        cause = "Semantic search is off" if off else "New messages are not indexed automatically"
        todo = "Switch it on above" if off else "Tick “Index new messages automatically” in the settings below"
        return Standing("off", "Paused", f"{cause}, so new messages stay out of the index. {todo} and it catches up.")
    if job is not None and job.status in {Job.Status.FAILED, Job.Status.CANCELLED}:
        word = "Failed" if job.status == Job.Status.FAILED else "Stopped"
        return Standing("bad", word, "What is indexed already is still found.")
    if job is not None and left:
        return Standing("warn", "Waiting", "What is indexed already is still found; the rest follows.", moving=True)
    if progress.is_rebuilding:
        return Standing("run", "Re-indexing", f"{meanwhile} You can leave this page.", moving=True)
    if left:
        return Standing("run", "Indexing", "Search finds what is in. You can leave this page.", moving=True)
    if not progress.total:
        return Standing("off", "Empty", "New messages are indexed automatically, a moment after they were said.")
    return Standing("ok", "Up to date", "New messages are indexed a moment after they were said.")


@tenant_page("project.view")
def index(request: HttpRequest) -> HttpResponse:
    """The part by itself, for htmx, which asks while it moves."""
    panel = read(request)
    if not is_part(request):
        return done(request, _here(request))
    status = 200 if panel["standing"].moving else STOP_POLLING
    return render(request, "chat/ai/index.html", {"panel": panel}, status=status)


@tenant_page("project.update", "GET", "POST")
def rebuild(request: HttpRequest) -> HttpResponse:
    """Build the index anew with the chosen model, after asking. Raises FeatureOff: nobody searches it."""
    features.require_wanted(SEMANTIC_SEARCH, account_of(request))
    errors: list[str] = []
    if request.method == "POST":
        try:
            reindex(actor=actor_of(request))
        except ValidationError as error:
            errors = error.messages
        else:
            return done(request, _here(request), "The index is being built anew.")
    context = {
        "title": "Build the index anew?",
        "back": _here(request),
        "messages_there": indexable().count(),
        "progress": index_progress(),
        "chosen": chosen_model(),
        "errors": errors,
    }
    return dialog(request, "chat/ai/rebuild.html", context, status=422 if errors else 200)


@tenant_page("project.update", "POST")
def go_on(request: HttpRequest) -> HttpResponse:
    """Try now what waits for its next try, or was given up."""
    go_on_now(actor=actor_of(request))
    return done(request, _here(request), "It is being tried now.")


def _here(request: HttpRequest) -> str:
    # Without "#index": to a part of the page that is open the browser would only scroll, and show what was before.
    return address(account_of(request), "ai")


def _dimensions(model: str) -> int | None:
    try:
        return resolve_model(model).dimensions
    except UnknownModel:
        return None
