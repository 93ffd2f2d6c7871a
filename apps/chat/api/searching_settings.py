"""``conversations/index`` and ``conversations/word-search``: by what conversations are found."""

from __future__ import annotations

from typing import Any, ClassVar

from django.http import HttpResponse
from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.request import Request

from apps.accounts.api.jobs import JobSerializer, show_job
from apps.accounts.api.preconditions import answer_object, check_unchanged
from apps.accounts.api.serializers import Input, Text
from apps.accounts.api.views import AccountView, answer
from apps.accounts.models import Account
from apps.chat.indexing.changes import is_wanted
from apps.chat.indexing.generations import chosen_model
from apps.chat.indexing.progress import index_progress
from apps.chat.indexing.reindexing import queue_indexing, reindex
from apps.vault.messages import change_setting, current_setting
from apps.vault.messages.words import languages


class IndexSerializer(Input):
    """How far the index by meaning is, counted in messages."""

    model = serializers.CharField(help_text="Which model made it.")
    chosen_model = serializers.CharField(help_text="Which model the next index is made by.")
    indexed = serializers.IntegerField()
    total = serializers.IntegerField()
    vectors = serializers.IntegerField(help_text="In the index that serves.")
    is_rebuilding = serializers.BooleanField(help_text="A new index is built beside the one that serves.")
    is_paused = serializers.BooleanField(help_text="New messages stay out: search or indexing by itself is off.")
    problem = serializers.CharField(help_text="Why it does not go on, in words; empty when it does.")


class RebuildSerializer(Input):
    """How to build it anew."""

    model = Text(max_length=200, required=False, help_text="Another embedding model than the chosen one.")
    rate = serializers.FloatField(
        required=False, min_value=0.1, max_value=10_000, help_text="Messages per second at most."
    )


def show_index(account: Account) -> dict[str, Any]:
    """The index as outsiders read it."""
    progress = index_progress()
    return {
        "model": progress.model,
        "chosen_model": chosen_model(),
        "indexed": progress.indexed,
        "total": progress.total,
        "vectors": progress.vectors,
        "is_rebuilding": progress.is_rebuilding,
        "is_paused": not is_wanted(account.id),
        "problem": progress.problem,
    }


class IndexView(AccountView):
    """The index by which conversations are found by meaning."""

    is_single = True
    actions: ClassVar = {"GET": "project.view"}

    @extend_schema(
        operation_id="conversations_index_read", summary="Read how far the index is", responses=IndexSerializer
    )
    def get(self, request: Request) -> HttpResponse:
        """Ask again while it is built."""
        return answer_object(request, show_index(self.account))


class IndexRebuildView(AccountView):
    """Building it anew."""

    is_single = False
    actions: ClassVar = {"POST": "project.update"}

    @extend_schema(
        operation_id="conversations_index_rebuild",
        summary="Build the index anew",
        request=RebuildSerializer,
        responses={202: JobSerializer},
    )
    def post(self, request: Request) -> HttpResponse:
        """Beside the one in use, which serves until the new one is whole. Answers the job; 409 while search is off."""
        reindex(actor=self.actor, **self.body(RebuildSerializer))
        return answer(show_job(queue_indexing(self.actor)), status=202)


class WordSearchSerializer(Input):
    """Whether messages are found by their words. What that gives away: docs/security-model.md."""

    enabled = serializers.BooleanField(
        required=False, help_text="Off: what is kept to find messages by is deleted, and a search by words says so."
    )
    language = serializers.ChoiceField(
        choices=[(name, name) for name in languages()],
        required=False,
        help_text="Decides which endings count as the same word.",
    )
    building = serializers.BooleanField(read_only=True, help_text="A job is at it: not everything is found yet.")


def show_word_search() -> dict[str, Any]:
    """The setting as outsiders read it."""
    setting = current_setting()
    return {"enabled": setting.enabled, "language": setting.language, "building": setting.building}


class WordSearchView(AccountView):
    """The setting of word search."""

    is_single = True
    actions: ClassVar = {"GET": "account.view", "PATCH": "account.update"}

    @extend_schema(
        operation_id="conversations_word_search_read", summary="Read word search", responses=WordSearchSerializer
    )
    def get(self, request: Request) -> HttpResponse:
        """On in English, unless somebody chose otherwise."""
        return answer_object(request, show_word_search())

    @extend_schema(
        operation_id="conversations_word_search_update",
        summary="Change word search",
        request=WordSearchSerializer,
        responses=WordSearchSerializer,
    )
    def patch(self, request: Request) -> HttpResponse:
        """A job then brings all messages in line: `building` is true until it is done."""
        check_unchanged(request, show_word_search)
        change_setting(actor=self.actor, **self.body(WordSearchSerializer))
        return answer_object(request, show_word_search())
