"""What this floor tells the floors above. Receivers run in the sender's transaction."""

from django.dispatch import Signal

# account_created(account, actor): in the new account's scope, before commit.
account_created = Signal()
# account_changed(account, actor), membership_ended(membership, actor)
account_changed = Signal()
membership_ended = Signal()
# job_cancelled(job, actor): what belongs to the job alone can be cleared away.
job_cancelled = Signal()
# job_held(job_id): a worker is at a long job and has just said so. From a thread, in no scope.
job_held = Signal()
# feature_chosen(account_id, feature, actor): an account switched a feature (its name); in the account's scope.
feature_chosen = Signal()
# feature_staged(feature, actor): the operator moved a feature to another stage; in the platform scope.
feature_staged = Signal()
