"""The models of who you are, which account you act for, and what runs for it."""

from apps.accounts.models.account import Account
from apps.accounts.models.api_key import APIKey
from apps.accounts.models.invitation import Invitation
from apps.accounts.models.job import Job
from apps.accounts.models.membership import Membership
from apps.accounts.models.user import User

__all__ = ["APIKey", "Account", "Invitation", "Job", "Membership", "User"]
