"""Work in the background: a row first, a message second. See docs/architecture.md, "Jobs"."""

from apps.accounts.jobs.enqueue import enqueue
from apps.accounts.jobs.registry import JobKind, MakeRoom, PermanentFailure, Retry, job_kind
from apps.accounts.jobs.running import LeaseLost, RunningJob

__all__ = ["JobKind", "LeaseLost", "MakeRoom", "PermanentFailure", "Retry", "RunningJob", "enqueue", "job_kind"]
