"""Around allauth: what its flows leave in the audit trails, second factors for the admin, break-glass tokens."""
