"""Client of AINative/ZeroDB servers, the embedded one included."""

from apps.integrations.zerodb.client.account import AccountClient
from apps.integrations.zerodb.client.connect import account_client, is_embedded, project_client, server_name
from apps.integrations.zerodb.client.errors import (
    Forbidden,
    KeyRefused,
    LimitReached,
    NotConfigured,
    NotFound,
    Refused,
    ServerFault,
    TooManyRequests,
)
from apps.integrations.zerodb.client.project import ProjectClient

__all__ = [
    "AccountClient",
    "Forbidden",
    "KeyRefused",
    "LimitReached",
    "NotConfigured",
    "NotFound",
    "ProjectClient",
    "Refused",
    "ServerFault",
    "TooManyRequests",
    "account_client",
    "is_embedded",
    "project_client",
    "server_name",
]
