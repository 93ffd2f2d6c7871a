"""Mailchimp: people on audiences."""
