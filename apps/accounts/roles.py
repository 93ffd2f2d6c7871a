"""Roles in an account, from most to least."""

from django.db import models


class Role(models.TextChoices):
    """What a member, an invitation or an API key may be. ``permissions.py`` says what each may do."""

    OWNER = "owner", "Owner"
    ADMIN = "admin", "Admin"
    MEMBER = "member", "Member"
    VIEWER = "viewer", "Viewer"

    @property
    def rank(self) -> int:
        """0 for owner up to 3 for viewer: lower may do more."""
        return list(Role).index(self)
