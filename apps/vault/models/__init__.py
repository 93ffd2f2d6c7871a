"""The models of the vault."""

from apps.vault.models.account_keyset import AccountKeyset, PlatformKeyset
from apps.vault.models.audit_entry import AuditEntry, AuditHead, PlatformAuditEntry, PlatformAuditHead
from apps.vault.models.contact import Contact
from apps.vault.models.contact_import import ContactImport, RejectedRows
from apps.vault.models.message_search import MessageSearch
from apps.vault.models.remembered_request import RememberedRequest
from apps.vault.models.token import Token

__all__ = [
    "AccountKeyset",
    "AuditEntry",
    "AuditHead",
    "Contact",
    "ContactImport",
    "MessageSearch",
    "PlatformAuditEntry",
    "PlatformAuditHead",
    "PlatformKeyset",
    "RejectedRows",
    "RememberedRequest",
    "Token",
]
