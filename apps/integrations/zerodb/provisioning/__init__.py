"""One AINative/ZeroDB project for each account: made in the background, once, whatever dies when."""

from apps.integrations.zerodb.provisioning.entering import enter_by_hand
from apps.integrations.zerodb.provisioning.requesting import (
    AlreadyReady,
    close_cancelled,
    plan_project,
    project_of,
    request_provisioning,
)
from apps.integrations.zerodb.provisioning.revealing import RevealRefused, TooManyTries, WrongPassword, reveal_key
from apps.integrations.zerodb.provisioning.settings import change_settings

__all__ = [
    "AlreadyReady",
    "RevealRefused",
    "TooManyTries",
    "WrongPassword",
    "change_settings",
    "close_cancelled",
    "enter_by_hand",
    "plan_project",
    "project_of",
    "request_provisioning",
    "reveal_key",
]
