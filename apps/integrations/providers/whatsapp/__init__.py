"""WhatsApp Business: messages by the Cloud API."""
