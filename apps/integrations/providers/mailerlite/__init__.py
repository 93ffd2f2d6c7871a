"""MailerLite: subscribers and groups."""
