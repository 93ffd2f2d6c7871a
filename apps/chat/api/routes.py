"""Addresses of this floor's resources, below /api/v1/."""

from django.urls import path

from apps.chat.api import (
    attachments,
    canned_responses,
    conversations,
    inboxes,
    labels,
    memories,
    search,
    searching_settings,
    similar,
    suggestions,
)

urlpatterns = [
    path("canned-responses", canned_responses.CannedResponsesView.as_view(), name="canned_responses"),
    path("canned-responses/<uuid:canned_id>", canned_responses.CannedResponseView.as_view(), name="canned_response"),
    path("conversations", conversations.ConversationsView.as_view(), name="conversations"),
    path("conversations/search", search.ConversationSearchView.as_view(), name="conversation_search"),
    path("conversations/index", searching_settings.IndexView.as_view(), name="conversation_index"),
    path(
        "conversations/index/rebuild",
        searching_settings.IndexRebuildView.as_view(),
        name="conversation_index_rebuild",
    ),
    path("conversations/word-search", searching_settings.WordSearchView.as_view(), name="conversation_word_search"),
    path("conversations/<uuid:conversation_id>", conversations.ConversationView.as_view(), name="conversation"),
    path("conversations/<uuid:conversation_id>/messages", conversations.MessagesView.as_view(), name="messages"),
    path(
        "conversations/<uuid:conversation_id>/messages/<uuid:message_id>/attachments",
        attachments.AttachmentsView.as_view(),
        name="attachments",
    ),
    path(
        "conversations/<uuid:conversation_id>/attachments/<uuid:attachment_id>",
        attachments.AttachmentView.as_view(),
        name="attachment",
    ),
    path(
        "conversations/<uuid:conversation_id>/memories", memories.MemoryProposalsView.as_view(), name="memory_proposals"
    ),
    path("conversations/<uuid:conversation_id>/suggestions", suggestions.SuggestionsView.as_view(), name="suggestions"),
    path("conversations/<uuid:conversation_id>/similar", similar.SimilarView.as_view(), name="similar_conversations"),
    path("contacts/<uuid:contact_id>/memories", memories.MemoriesView.as_view(), name="memories"),
    path("memories/<uuid:memory_id>", memories.MemoryView.as_view(), name="memory"),
    path("inboxes", inboxes.InboxesView.as_view(), name="inboxes"),
    path("inboxes/<uuid:inbox_id>", inboxes.InboxView.as_view(), name="inbox"),
    path("labels", labels.LabelsView.as_view(), name="labels"),
    path("labels/<uuid:label_id>", labels.LabelView.as_view(), name="label"),
]
