"""The account's vectors at its AI project. Texts are sent to be embedded and are not stored there."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from apps.integrations.models import AINativeProject
from apps.integrations.zerodb.client import ProjectClient, project_client


class NoProject(RuntimeError):
    """The account's AI project is not ready; ``str(error)`` says why, in words."""


@contextmanager
def project() -> Iterator[ProjectClient]:
    """A client of the project of the account in scope, closed in the end. Raises NoProject.

    Opened in the account's scope, since the key lies in the vault; used outside of it, so that no transaction waits
    for the service.
    """
    row = AINativeProject.objects.filter(status=AINativeProject.Status.READY).first()
    if row is None:
        raise NoProject("The AI project is not ready yet.")
    client = project_client(row.project_id, str(row.api_key))
    try:
        yield client
    finally:
        client.close()
