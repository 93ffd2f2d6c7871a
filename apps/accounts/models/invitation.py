"""An invitation to join an account, sent by e-mail."""

from __future__ import annotations

from django.conf import settings
from django.db import models
from django.db.models.functions import Lower
from django.utils import timezone

from apps.accounts.roles import Role
from apps.accounts.tenancy.models import TenantModel


class Invitation(TenantModel):
    """One open or ended invitation. The link carries a secret token; only its SHA-256 is stored."""

    email = models.EmailField("e-mail", max_length=254)
    role = models.CharField(max_length=10, choices=Role.choices, default=Role.MEMBER)
    token_hash = models.BinaryField(max_length=32, editable=False)
    invited_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, null=True, on_delete=models.SET_NULL, related_name="+", editable=False
    )
    expires_at = models.DateTimeField()
    # What became of the mail with the link that is valid now.
    sent_at = models.DateTimeField(null=True, blank=True, editable=False)
    mail_problem = models.TextField(blank=True, editable=False, help_text="Why the mail is not sent, in words.")
    accepted_at = models.DateTimeField(null=True, blank=True, editable=False)
    revoked_at = models.DateTimeField(null=True, blank=True, editable=False)

    class Meta(TenantModel.Meta):
        constraints = [
            models.UniqueConstraint(
                "account",
                Lower("email"),
                condition=models.Q(accepted_at=None, revoked_at=None),
                name="invitation_open_once",
            )
        ]
        indexes = [models.Index(fields=["token_hash"], name="invitation_token")]

    def __str__(self) -> str:
        return f"{self.email} as {self.get_role_display()}"

    @property
    def status(self) -> str:
        """``accepted``, ``revoked``, ``expired`` or ``open``."""
        if self.accepted_at:
            return "accepted"
        if self.revoked_at:
            return "revoked"
        return "expired" if self.expires_at <= timezone.now() else "open"
