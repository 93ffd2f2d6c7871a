"""SendGrid: contacts and suppressions."""
