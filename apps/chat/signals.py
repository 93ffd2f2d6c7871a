"""What happens to conversations, for whatever keeps something about them. Receivers run in the sender's transaction."""

from django.dispatch import Signal

# message_added(message, conversation, actor)
message_added = Signal()
# conversation_changed(conversation, fields, actor): fields is a tuple of names.
conversation_changed = Signal()
# conversation_removed(conversation, actor): its messages can still be read.
conversation_removed = Signal()
