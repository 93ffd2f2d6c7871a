"""Zoho CRM: people, in the data centre that the account lives in."""
