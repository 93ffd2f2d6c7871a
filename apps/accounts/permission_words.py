"""What each action of ``permissions.ACTIONS`` is in words, and who may do it: for those who may not."""

from __future__ import annotations

from apps.accounts.permissions import ACTIONS
from apps.accounts.roles import Role

LABELS: dict[str, str] = {
    "account.view": "The account is seen",
    "account.update": "The account’s settings are changed",
    "account.delete": "The account is deleted",
    "account.export": "The account is exported",
    "members.view": "Members are seen",
    "members.invite": "People are invited",
    "members.change_role": "Roles are given",
    "members.remove": "Members are removed",
    "members.manage_owners": "Owners are made and unmade",
    "security.view": "Security settings are managed",
    "security.update": "Security settings are managed",
    "audit.view": "The audit trail is read",
    "project.view": "The AI project is seen",
    "project.provision": "The AI project is set up",
    "project.update": "The AI project is managed",
    "project.reveal_key": "The key of the AI project is shown",
    "integrations.view": "Integrations are managed",
    "integrations.manage": "Integrations are managed",
    "integrations.use": "Integrations are used",
    "tokens.view": "Tokens are managed",
    "tokens.manage": "Tokens are managed",
    "usage.view": "Usage and costs are seen",
    "limits.view": "Limits are managed",
    "limits.manage": "Limits are managed",
    "prices.manage": "Prices are managed",
    "jobs.view": "Jobs are seen",
    "jobs.retry": "Jobs are started again",
    "features.view": "Features are seen",
    "features.manage": "Features are switched on and off",
    "features.stage": "Features are let out to accounts",
    "jobs.cancel": "Jobs of others are cancelled",
    "jobs.cancel_own": "Jobs are cancelled",
    "api_keys.view": "API keys of others are managed",
    "api_keys.view_own": "API keys are used",
    "api_keys.create": "API keys are made",
    "api_keys.manage": "API keys of others are managed",
    "api_keys.manage_own": "API keys are managed",
    "contacts.view": "Contacts are seen",
    "contacts.create": "Contacts are added",
    "contacts.update": "Contacts are changed",
    "contacts.delete": "Contacts are deleted",
    "contacts.import": "Contacts are imported",
    "inboxes.view": "Inboxes are seen",
    "inboxes.manage": "Inboxes are managed",
    "labels.view": "Labels are seen",
    "labels.manage": "Labels are managed",
    "conversations.view": "Conversations are seen",
    "conversations.create": "Conversations are begun",
    "conversations.reply": "Conversations are answered",
    "conversations.update": "Conversations are changed",
    "conversations.delete": "Conversations are deleted",
    "canned_responses.view": "Canned responses are seen",
    "canned_responses.manage": "Canned responses are managed",
    "suggestions.view": "Suggested replies are seen",
    "suggestions.choose": "Suggested replies are chosen",
    "memories.view": "What is remembered about contacts is seen",
    "memories.manage": "What is remembered about contacts is managed",
    "workflows.view": "Workflows are seen",
    "workflows.manage": "Workflows of others are managed",
    "workflows.create": "Workflows are made",
    "workflows.manage_own": "Workflows are managed",
    "deployments.view": "Deployments are seen",
    "deployments.manage": "Deployments of others are managed",
    "deployments.manage_own": "Deployments are managed",
    "knowledge.view": "Knowledge bases are seen",
    "knowledge.manage": "Knowledge bases of others are managed",
    "knowledge.create": "Knowledge bases are made",
    "knowledge.manage_own": "Knowledge bases are managed",
    "webhooks.view": "Webhooks are seen",
    "webhooks.manage": "Webhooks of others are managed",
    "webhooks.create": "Webhooks are made",
    "webhooks.manage_own": "Webhooks are managed",
}


def who_may(action: str, account: str = "") -> str:
    """“Integrations are managed by owners and admins of Acme.”, with the account's name where one is given."""
    roles = [f"{role.label.lower()}s" for role in Role if role in ACTIONS[action]]
    if not roles:
        return f"{LABELS[action]} by the operator only."
    people = f"{', '.join(roles[:-1])} and {roles[-1]}" if len(roles) > 1 else roles[0]
    return f"{LABELS[action]} by {people}{f' of {account}' if account else ''}."
