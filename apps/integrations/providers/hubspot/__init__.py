"""HubSpot: people in its CRM."""
