"""Floor 5: conversations, assistants, widget."""

from django.apps import AppConfig


class ChatConfig(AppConfig):
    """Floor 5: conversations, assistants, widget."""

    name = "apps.chat"
    label = "chat"
    default_auto_field = "django.db.models.BigAutoField"

    def ready(self) -> None:
        from apps.chat.phrases import say_all

        say_all()
