"""PayPal: check-out links and payments."""
