"""Kinds of jobs of this floor; imported at start-up so that the worker knows them."""

from __future__ import annotations

from functools import partial
from typing import Any

from apps.accounts.jobs import RunningJob, job_kind
from apps.chat.indexing import leftovers, reindexing, running
from apps.chat.memory import proposing
from apps.chat.memory import rebuilding as facts_anew
from apps.chat.suggestions import preparing, profiles
from apps.chat.suggestions import rebuilding as replies_anew

# Waits out an AI service that is away for a day and more.
_patient = partial(job_kind, max_attempts=500, base_delay=5.0, max_delay=300.0)


@_patient(reindexing.KIND, label="indexing of conversations", is_bulk=True)
def index_conversations(job: RunningJob) -> dict[str, Any]:
    """Bring the vectors of an account's messages into step."""
    return running.run(job)


@job_kind(leftovers.KIND, label="removal of vectors that nothing needs", max_attempts=20, is_bulk=True)
def forget_vectors(job: RunningJob) -> dict[str, Any]:
    """Remove vectors whose message or index is gone."""
    return leftovers.run(job)


@job_kind(proposing.KIND, label="search for facts in a conversation", max_attempts=5)
def propose_memories(job: RunningJob) -> dict[str, Any]:
    """Propose facts about a contact from one conversation."""
    return proposing.run(job)


@_patient(profiles.KIND, label="preparing of canned responses", is_awaited=True)
def prepare_suggestions(job: RunningJob) -> dict[str, Any]:
    """Make the vectors by which canned responses are suggested."""
    return preparing.run(job)


@_patient(replies_anew.KIND, label="preparing of all canned responses anew", is_bulk=True)
def rebuild_suggestions(job: RunningJob) -> dict[str, Any]:
    """Make the vectors of all canned responses anew, beside those in use."""
    return replies_anew.run(job)


@_patient(facts_anew.KIND, label="preparing of all facts anew", is_bulk=True)
def rebuild_memories(job: RunningJob) -> dict[str, Any]:
    """Make the vectors of all remembered facts anew."""
    return facts_anew.run(job)
