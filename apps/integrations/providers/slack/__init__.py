"""Slack: messages to channels and people."""
