"""The doors that have no address: tasks, consumers, commands and job kinds, and how each gets its scope.

Whoever adds one adds a line here; ``test_doors.py`` fails on one that is not listed.
"""

# Celery tasks by name.
TASKS: dict[str, str] = {
    "vault.clear_contact_imports": "platform finds what is over; each account's own scope removes it",
    "accounts.run_job": "opens the scope of the account named in the message; the handler opens it again as it needs",
    "vault.purge_remembered_requests": "platform: removes the run-out answers of all accounts",
    "integrations.reconcile_projects": "platform finds the project each account uses; each account's own scope decides",
    "integrations.purge_zerodb_projects": "platform finds deleted ZeroDB projects; each is emptied behind its own wall",
    "integrations.hand_on_events": "opens the scope of the account named in the message, for each event again",
    "integrations.sweep_events": "platform finds accounts with events nobody took; a task of each hands them on",
    "integrations.clear_old_events": "platform: empties and removes the old events of all accounts",
    "integrations.record_refused_delivery": "opens the scope of the account named in the message",
    "accounts.expire_reservations": "platform finds what is over, and new prices; each account's own scope settles it",
    "accounts.clear_away_usage": "platform: removes the run-out reservations and counters of all accounts",
    "integrations.align_features": "platform finds what differs; each account's own scope queues the job",
    "integrations.clear_left_grants": "platform finds what trials left; each account's own scope removes it",
    "integrations.renew_grants": "platform finds due grants; a task of each renews it",
    "integrations.renew_grant": "opens the scope of the account named in the message",
    "integrations.count_holdings": "platform lists the accounts; each one's holdings are counted in its own scope",
    "chat.sweep_suggestions": "platform finds accounts with replies to prepare; each one's job is queued in its scope",
    "chat.wake_snoozed": "platform finds accounts with one to wake; each is woken in its own account's scope",
    "chat.sweep_index": "platform finds accounts with something to index; each one's job is queued in its own scope",
    "accounts.sweep_jobs": "platform: finds jobs of all accounts whose message or worker was lost",
}

# WebSocket and other consumers by dotted path.
CONSUMERS: dict[str, str] = {
    "apps.accounts.live.consumer.LiveConsumer": "member of the account in the address; each question in its own scope",
    "apps.chat.consumers.InboxConsumer": "as LiveConsumer; who may see conversations",
}

# Management commands of our apps by name.
COMMANDS: dict[str, str] = {
    "audit_report": "opens the scope of the account named on its command line",
    "check_isolation": "reads the catalogue, no rows",
    "create_super_admin": "platform: one of the operator's people; writes to the trails of their accounts",
    "demo": "makes its own accounts by the services",
    "import_contacts": "opens the scope of the account named on its command line",
    "import_env_integrations": "platform lists the accounts; each connection is made in its own account's scope",
    "init_vault": "the platform's own keys, in the platform scope",
    "reindex": "platform lists the accounts; each index is begun in its own account's scope",
    "provision_accounts": "finds accounts in the platform scope, queues each one's job in its own",
    "zerodb_demo_keys": "makes callers of the embedded ZeroDB server, in the platform scope",
    "zerodb_key": "makes a caller of the embedded ZeroDB server, in the platform scope",
    "verify_audit": "opens the scope of one account after another, and the platform's for its own trail",
}

# Kinds of jobs by name: the account is the job's own, whatever its payload says.
JOB_KINDS: dict[str, str] = {
    "audit.verify": "reads the trail of the job's own account in the job's own scope",
    "invitation.mail": "the invitation is looked up in the job's own scope",
    "limit.alert_mail": "the alert and the people told are looked up in the job's own scope",
    "project.configure": "reads the account's settings and key in the job's own scope",
    "project.provision": "reads and writes the account's project in the job's own scope",
    "conversations.index": "reads messages, rows and key in the job's own scope, each piece anew",
    "conversations.forget_vectors": "reads messages and rows in the job's own scope, removes vectors of its project",
    "messages.words": "reads and writes the account's messages in the job's own scope, a page at a time",
    "memories.propose": "the conversation is looked up in the job's own scope",
    "suggestions.prepare": "reads canned responses and keeps their vectors in the job's own scope, some at a time",
    "suggestions.rebuild": "reads canned responses and keeps new vectors in the job's own scope, some at a time",
    "memories.rebuild": "reads facts and keeps new vectors in the job's own scope, some at a time",
    "contacts.import": "the import's row is looked up in the job's own scope, each chunk is written in it",
}
