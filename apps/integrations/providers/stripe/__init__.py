"""Stripe: check-out links and payments."""
