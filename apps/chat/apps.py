"""Floor 5: conversations, assistants, widget."""

from django.apps import AppConfig


class ChatConfig(AppConfig):
    """Floor 5: conversations, assistants, widget."""

    name = "apps.chat"
    label = "chat"
    default_auto_field = "django.db.models.BigAutoField"

    def ready(self) -> None:
        from apps.chat import (
            features,
            jobs,  # noqa: F401 - declares its kinds
        )
        from apps.chat.indexing import changes
        from apps.chat.pages.entries import register_all
        from apps.chat.phrases import say_all

        features.declare_all()
        changes.connect()
        say_all()
        register_all()
