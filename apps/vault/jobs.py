"""Kinds of jobs of this floor."""

from __future__ import annotations

from typing import Any

from apps.accounts.jobs import PermanentFailure, Retry, RunningJob, job_kind
from apps.vault.audit.checks import AUDIT_VERIFY
from apps.vault.audit.prove import catch_up
from apps.vault.audit.verify import verify_trail
from apps.vault.contact_import import running
from apps.vault.keys import DecryptionFailed
from apps.vault.messages import rebuilding
from apps.vault.messages.setting import REBUILD
from apps.vault.models import ContactImport
from apps.vault.services.contact_imports import KIND

_SHOWN_FAULTS = 20


@job_kind(KIND, label="import of contacts", max_attempts=20, is_awaited=True)
def run_contact_import(job: RunningJob) -> dict[str, Any]:
    """Import a stored list of contacts, from where the last attempt stopped."""
    with job.scope():
        contact_import = ContactImport.objects.filter(pk=job.payload["contact_import"]).first()
    if contact_import is None:
        raise PermanentFailure("The import was removed before it ran. Upload the file again.")
    if contact_import.finished_at is None:
        try:
            running.run(contact_import, scope=job.scope, progress=job.progress)
        except running.KeptBusy as error:
            raise Retry(str(error)) from error
        except (FileNotFoundError, DecryptionFailed) as error:
            raise PermanentFailure("The stored file can't be read any more. Upload it again.") from error
    elif contact_import.rows_done < contact_import.rows_total:
        raise PermanentFailure("The import was cancelled, and its file is gone since. Upload it again.")
    return {"contact_import": str(contact_import.pk), **contact_import.counts}


@job_kind(AUDIT_VERIFY, label="check of the audit trail", max_attempts=3, is_awaited=True)
def verify_audit(job: RunningJob) -> dict[str, Any]:
    """Prove the account's trail. The result has ``whole``, ``entries`` and the first faults in words."""
    with job.scope():
        proof = verify_trail(job.account_id)
    catch_up(proof)
    return {
        "whole": proof.whole,
        "entries": proof.entries,
        "last": proof.last,
        "faults": [fault.words for fault in proof.faults[:_SHOWN_FAULTS]],
        "more_faults": max(0, len(proof.faults) - _SHOWN_FAULTS),
    }


@job_kind(REBUILD, label="search words of messages", max_attempts=20)
def rebuild_words(job: RunningJob) -> dict[str, Any]:
    """Make the words of all messages as the account wants them, or remove them."""
    return rebuilding.run(job)
