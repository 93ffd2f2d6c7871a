"""Work in the background: a row first, a message second. See docs/architecture.md, "Jobs"."""

from apps.accounts.jobs.enqueue import enqueue
from apps.accounts.jobs.registry import JobKind, PermanentFailure, Retry, job_kind
from apps.accounts.jobs.running import LeaseLost, RunningJob

__all__ = ["JobKind", "LeaseLost", "PermanentFailure", "Retry", "RunningJob", "enqueue", "job_kind"]
