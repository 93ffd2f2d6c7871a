"""The super admin's screens of the vault. Importing this package (Django's admin does) registers them."""

from apps.accounts.admin.accounts import AccountLink, add_account_links
from apps.accounts.admin.navigation import Entry, add_entries
from apps.vault.admin import audit, contacts

__all__ = ["audit", "contacts"]

add_entries(
    Entry("Vault", "Contacts", "vault_contact_changelist", "contacts"),
    Entry("Vault", "Audit trails", "vault_auditentry_changelist", "history"),
    Entry("Operation", "Platform audit", "vault_platformauditentry_changelist", "policy"),
)
add_account_links(
    AccountLink("Contacts", "vault_contact_changelist", "contacts"),
    AccountLink("Audit trail", "vault_auditentry_changelist", "history"),
)
