"""Floor 5: assistants, conversations, widget."""

from django.apps import AppConfig


class ChatConfig(AppConfig):
    """Floor 5: assistants, conversations, widget."""

    name = "apps.chat"
    label = "chat"
    default_auto_field = "django.db.models.BigAutoField"
