"""Mixpanel: events."""
