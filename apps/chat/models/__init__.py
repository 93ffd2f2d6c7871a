"""The models of conversations."""

from apps.chat.models.attachment import Attachment
from apps.chat.models.canned_response import CannedResponse
from apps.chat.models.contact_memory import ContactMemory
from apps.chat.models.conversation import Conversation, ConversationLabel
from apps.chat.models.inbox import Inbox
from apps.chat.models.index import IndexedMessage, IndexGeneration
from apps.chat.models.label import Label
from apps.chat.models.message import Message, MessageWord
from apps.chat.models.suggestion import ReplyOffer, ReplyProfile

__all__ = [
    "Attachment",
    "CannedResponse",
    "ContactMemory",
    "Conversation",
    "ConversationLabel",
    "Inbox",
    "IndexGeneration",
    "IndexedMessage",
    "Label",
    "Message",
    "MessageWord",
    "ReplyOffer",
    "ReplyProfile",
]
