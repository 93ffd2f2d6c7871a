"""The pages of this floor: contacts, the audit trail."""
