"""Entering a project by hand, for accounts whose project was made elsewhere."""

from __future__ import annotations

from django.core.exceptions import ValidationError
from django.db import IntegrityError, transaction
from django.utils import timezone

from apps.accounts import audit
from apps.accounts.actors import Actor
from apps.accounts.models import Account
from apps.accounts.permissions import require
from apps.integrations.models import AINativeProject
from apps.integrations.outbound.errors import OutboundError
from apps.integrations.zerodb.client import NotFound, project_client
from apps.integrations.zerodb.provisioning.configuring import queue_settings
from apps.integrations.zerodb.provisioning.requesting import project_of


def enter_by_hand(*, account: Account, project_id: str, api_key: str, actor: Actor) -> AINativeProject:
    """Check id and key against the live service, then store them. Nothing is saved when the check fails.

    Raises PermissionDenied, ValidationError naming the field.
    """
    require(actor, "project.update")
    project_id, api_key = project_id.strip(), api_key.strip()
    for name, value in (("project_id", project_id), ("api_key", api_key)):
        if not value:
            raise ValidationError({name: "Enter a value."})
    try:
        with project_client(project_id, api_key) as client:
            found = client.get()
    except OutboundError as error:
        name = "project_id" if isinstance(error, NotFound) else "api_key"
        raise ValidationError({name: f"{error} Nothing was saved."}) from error
    if found.id != project_id:
        raise ValidationError({"project_id": f"This key opens the project {found.id}. Nothing was saved."})
    project = project_of(account)
    before = project.project_id
    project.take_credentials(project_id, api_key)
    project.status, project.error, project.entered_by_hand = AINativeProject.Status.READY, "", True
    project.provisioned_at = timezone.now()
    try:
        with transaction.atomic():
            project.save()
    except IntegrityError as error:
        raise ValidationError({"project_id": "This project belongs to another account."}) from error
    audit.record(
        "project.entered_by_hand",
        actor=actor,
        entity=project,
        label=account.name,
        changes={"project_id": [before, project_id], "api_key": "replaced"},
    )
    queue_settings(actor)
    return project
