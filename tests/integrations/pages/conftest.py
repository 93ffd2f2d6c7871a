"""Signed-in clients of Alice's account, as for the pages of the lowest floor."""

from tests.accounts.pages.conftest import as_role, base

__all__ = ["as_role", "base"]
