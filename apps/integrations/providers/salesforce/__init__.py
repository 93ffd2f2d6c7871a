"""Salesforce: contacts in an organisation's Sales Cloud."""
