"""Kinds of jobs of this floor; imported at start-up so that the worker knows them."""

from __future__ import annotations

from typing import Any

from apps.accounts.jobs import RunningJob, job_kind
from apps.chat.indexing import running
from apps.chat.indexing.reindexing import KIND


@job_kind(KIND, label="indexing of conversations", max_attempts=500, base_delay=5.0, max_delay=300.0)
def index_conversations(job: RunningJob) -> dict[str, Any]:
    """Bring the vectors of an account's messages into step."""
    return running.run(job)
