"""The callers that the vendor's own tests expect to find. Their keys are public, so they count in test mode alone."""

from __future__ import annotations

from collections.abc import Mapping

from apps.integrations.models import ZeroKey, ZeroProject
from apps.integrations.zerodb.server import walls
from apps.integrations.zerodb.server.store import keys

_Projects = Mapping[str, tuple[str, str]]
"""Id → tier and status."""

DEMO_CALLERS: Mapping[str, _Projects] = {
    "demo_key_user1_abc123": {"proj_demo_u1_001": ("free", "ACTIVE"), "proj_demo_u1_002": ("starter", "ACTIVE")},
    "demo_key_user2_xyz789": {
        "proj_demo_u2_001": ("pro", "ACTIVE"),
        "proj_demo_u2_002": ("enterprise", "ACTIVE"),
        "proj_demo_u2_003": ("free", "INACTIVE"),
    },
    "test_api_key_123": {},
    "test-integration-key-789": {},
}


def make_demo_callers() -> int:
    """Make those that are not there yet. Returns how many. Call it where ZERODB_DEMO_KEYS is on."""
    made = 0
    for plain, projects in DEMO_CALLERS.items():
        if keys.recognise(plain) is not None:
            continue
        caller = keys.create_caller(f"Demo {plain[:20]}")
        with walls.caller(caller.id):
            ZeroKey.objects.create(name="Demo", public_id=keys.DEMO, key_hash=keys.digest(plain))
            for project_id, (tier, status) in projects.items():
                ZeroProject.objects.create(public_id=project_id, name=f"Demo {project_id}", tier=tier, status=status)
        made += 1
    return made
