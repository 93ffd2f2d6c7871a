"""What canned responses are suggested for, and what became of the suggestions."""

from __future__ import annotations

from typing import Any

from django.db import models

from apps.accounts.tenancy.models import TenantForeignKey, TenantModel
from apps.chat.models.canned_response import CannedResponse
from apps.chat.models.conversation import Conversation
from apps.chat.models.message import Message
from apps.vault.fields import EncryptedTextField


class ReplyProfile(TenantModel):
    """What a canned response is compared by: the vector of its text, and what was learnt of it.

    Beside the response, so that lists of responses do not carry vectors. Vectors are packed (see
    ``suggestions/packing.py``) and lie encrypted: a vector says something about its text.
    """

    canned_response: Any = TenantForeignKey(CannedResponse, on_delete=models.CASCADE, related_name="+", db_index=False)
    # The model of both vectors; "" before the first one is made.
    model = models.CharField(max_length=200, blank=True, default="")
    vector = EncryptedTextField(blank=True, default="")
    # The mean of the questions that it was accepted for.
    learnt = EncryptedTextField(blank=True, default="")
    # How often it was accepted and ignored lately: both are halved now and then, so that old choices fade.
    accepted = models.PositiveIntegerField(default=0)
    ignored = models.PositiveIntegerField(default=0)
    # From when on its vector is to be made anew; none: it stands.
    due_at = models.DateTimeField(null=True)
    # What is built beside, and takes the place of model and vector when all of it is there; empty when it is not made.
    next_model = models.CharField(max_length=200, blank=True, default="")
    next_vector = EncryptedTextField(null=True, blank=True)

    class Meta(TenantModel.Meta):
        constraints = [models.UniqueConstraint(fields=["account", "canned_response"], name="reply_profile_once")]
        indexes = [
            models.Index(
                fields=["account", "due_at"], condition=models.Q(due_at__isnull=False), name="reply_profile_due"
            )
        ]

    def __str__(self) -> str:
        return f"Profile of canned response {self.canned_response_id}"


class ReplyOffer(TenantModel):
    """What was suggested as an answer to one message of a customer, and what was made of it.

    Its vector is the question's, so that a page seen again costs nothing. It goes with its message.
    """

    conversation: Any = TenantForeignKey(Conversation, on_delete=models.CASCADE, related_name="+", db_index=False)
    # The last message of the question.
    message: Any = TenantForeignKey(Message, on_delete=models.CASCADE, related_name="+", db_index=False)
    model = models.CharField(max_length=200)
    question = EncryptedTextField()
    # Ids of canned responses: those that somebody who answers has seen, and those that were told to be ignored.
    shown = models.JSONField(default=list)
    ignored = models.JSONField(default=list)
    accepted: Any = TenantForeignKey(
        CannedResponse, null=True, on_delete=models.SET_NULL, related_name="+", db_index=False
    )
    # When the customer was answered; from then on nothing is counted any more.
    answered_at = models.DateTimeField(null=True)

    class Meta(TenantModel.Meta):
        constraints = [models.UniqueConstraint(fields=["account", "message"], name="reply_offer_once")]
        indexes = [
            models.Index(fields=["account", "conversation", "-id"], name="reply_offer_of_conversation"),
            models.Index(fields=["account", "accepted"], name="reply_offer_accepted"),
            models.Index(fields=["account", "answered_at"], name="reply_offer_answered"),
        ]

    def __str__(self) -> str:
        return f"Suggestions for message {self.message_id}"
