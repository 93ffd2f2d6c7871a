"""Files of messages, for keeping."""

from __future__ import annotations

from uuid import UUID

from django.http import Http404, HttpRequest, HttpResponse

from apps.accounts.pages.door import tenant_page
from apps.chat.models import Attachment
from apps.chat.services.attachments import download


@tenant_page("conversations.view")
def file(request: HttpRequest, conversation_id: UUID, attachment_id: UUID) -> HttpResponse:
    """One file."""
    try:
        return download(Attachment.objects.get(pk=attachment_id, message__conversation_id=conversation_id))
    except (Attachment.DoesNotExist, FileNotFoundError):
        raise Http404("No such file.") from None
