from apps.integrations.models.ainative_project import AINativeProject
from apps.integrations.models.integration import Integration
from apps.integrations.models.integration_failure import IntegrationFailure
from apps.integrations.models.opened_address import OpenedAddress
from apps.integrations.models.received_event import ReceivedEvent
from apps.integrations.models.zerodb_caller import ZeroCaller, ZeroKey
from apps.integrations.models.zerodb_event import ZeroEvent
from apps.integrations.models.zerodb_feedback import ZeroFeedback
from apps.integrations.models.zerodb_match import ZeroMatch
from apps.integrations.models.zerodb_memory import ZeroAgentMemory, ZeroMemory
from apps.integrations.models.zerodb_project import ZeroProject
from apps.integrations.models.zerodb_table import ZeroRow, ZeroTable
from apps.integrations.models.zerodb_vector import ZeroVector

__all__ = [
    "AINativeProject",
    "Integration",
    "IntegrationFailure",
    "OpenedAddress",
    "ReceivedEvent",
    "ZeroAgentMemory",
    "ZeroCaller",
    "ZeroEvent",
    "ZeroFeedback",
    "ZeroKey",
    "ZeroMatch",
    "ZeroMemory",
    "ZeroProject",
    "ZeroRow",
    "ZeroTable",
    "ZeroVector",
]
