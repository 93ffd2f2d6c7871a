"""What this floor tells the floors above. Receivers run in the sender's transaction."""

from django.dispatch import Signal

# account_created(account, actor): in the new account's scope, before commit.
account_created = Signal()
# account_changed(account, actor), membership_ended(membership, actor)
account_changed = Signal()
membership_ended = Signal()
# job_cancelled(job, actor): what belongs to the job alone can be cleared away.
job_cancelled = Signal()
