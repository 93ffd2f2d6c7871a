"""The account's vectors at its AI project. Texts are sent to be embedded and are not stored there."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from apps.integrations.models import AINativeProject
from apps.integrations.zerodb.client import ProjectClient, project_client


class NoProject(RuntimeError):
    """The account's AI project is not ready; ``str(error)`` says why, in words."""


@contextmanager
def project(*, in_background: bool = False) -> Iterator[ProjectClient]:
    """A client of the project of the account in scope, closed in the end. Raises NoProject.

    Unless it is used ``in_background``, where nobody waits for it, a server elsewhere gets little time to answer.

    Opened in the account's scope, since the key lies in the vault; used outside of it, so that no transaction waits
    for the service.
    """
    row = AINativeProject.objects.first()
    if row is not None and row.is_elsewhere:
        raise NoProject("The AI project lies at another service than the one in use now: it has to be set up again.")
    if row is None or not row.is_ready:
        raise NoProject("The AI project is not ready yet.")
    client = project_client(row.project_id, str(row.api_key), somebody_waits=not in_background)
    try:
        yield client
    finally:
        client.close()
