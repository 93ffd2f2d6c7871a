"""The models of who you are, which account you act for, what runs for it and what it uses."""

from apps.accounts.models.account import Account
from apps.accounts.models.api_key import APIKey
from apps.accounts.models.feature import FeatureChoice, FeatureStage, Stage
from apps.accounts.models.invitation import Invitation
from apps.accounts.models.job import Job
from apps.accounts.models.limit import Counter, Limit, LimitAlert
from apps.accounts.models.live_number import LiveNumber
from apps.accounts.models.membership import Membership
from apps.accounts.models.price import Price
from apps.accounts.models.usage import DailyUsage, Reservation, UsageEvent
from apps.accounts.models.user import User

__all__ = [
    "APIKey",
    "Account",
    "Counter",
    "DailyUsage",
    "FeatureChoice",
    "FeatureStage",
    "Invitation",
    "Job",
    "Limit",
    "LimitAlert",
    "LiveNumber",
    "Membership",
    "Price",
    "Reservation",
    "Stage",
    "UsageEvent",
    "User",
]
