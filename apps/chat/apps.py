"""Floor 5: conversations, assistants, widget."""

from django.apps import AppConfig


class ChatConfig(AppConfig):
    """Floor 5: conversations, assistants, widget."""

    name = "apps.chat"
    label = "chat"
    default_auto_field = "django.db.models.BigAutoField"

    def ready(self) -> None:
        from apps.accounts.demo.build import demo_account_built
        from apps.chat import (
            contact_export,
            features,
            jobs,  # noqa: F401 - declares its kinds
            live,
        )
        from apps.chat.demo.conversations import add_conversations
        from apps.chat.indexing import changes, leftovers
        from apps.chat.pages import memories, similar, suggestions
        from apps.chat.pages.entries import register_all
        from apps.chat.pages.panel import Part, register_part
        from apps.chat.phrases import say_all
        from apps.chat.services import attachments
        from apps.chat.suggestions import following

        features.declare_all()
        changes.connect()
        leftovers.declare()
        contact_export.register()
        attachments.connect()
        following.connect()
        live.connect()
        say_all()
        register_all()
        demo_account_built.connect(add_conversations, dispatch_uid="chat.demo_conversations")
        register_part(Part("chat/suggestions/panel.html", "suggestions.choose", 10, suggestions.read))
        register_part(Part("chat/memory/panel.html", "memories.view", 60, memories.read))
        register_part(Part("chat/search/similar.html", "conversations.view", 70, similar.read))
