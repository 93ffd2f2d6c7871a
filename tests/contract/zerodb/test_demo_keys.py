"""Section 10 of the contract: the keys that the vendor's tests bring, in test mode alone."""

import pytest
from django.core.management import CommandError, call_command

from tests.contract.zerodb.conftest import connect

pytestmark = pytest.mark.covers("P-11")


@pytest.fixture
def demo(django_db_blocker, settings, zerodb_server):
    """The keys are there, and the mode is on."""
    settings.ZERODB_DEMO_KEYS = True
    with django_db_blocker.unblock():
        call_command("zerodb_demo_keys")
        call_command("zerodb_demo_keys")  # once more does no harm

    def ask(key: str, path: str = "projects"):
        with connect(zerodb_server, key) as http:
            return http.get(path)

    return ask


def test_two_users_with_projects_in_each_tier(demo):
    for key, expected in {
        "demo_key_user1_abc123": {"proj_demo_u1_001": "FREE", "proj_demo_u1_002": "STARTER"},
        "demo_key_user2_xyz789": {
            "proj_demo_u2_001": "PRO",
            "proj_demo_u2_002": "ENTERPRISE",
            "proj_demo_u2_003": "FREE",
        },
    }.items():
        projects = demo(key).json()["projects"]
        assert {project["id"]: project["tier"] for project in projects} == expected
    assert demo("demo_key_user2_xyz789", "projects/proj_demo_u2_003").json()["status"] == "INACTIVE"
    assert demo("demo_key_user1_abc123", "projects/proj_demo_u2_001").status_code == 404


@pytest.mark.parametrize("key", ["test_api_key_123", "test-integration-key-789"])
def test_two_keys_without_projects(demo, key):
    assert demo(key).status_code == 200


def test_out_of_test_mode_they_open_nothing(demo, settings):
    settings.ZERODB_DEMO_KEYS = False
    answer = demo("demo_key_user1_abc123")
    assert (answer.status_code, answer.json()["detail"]) == (401, "Invalid API key")
    with pytest.raises(CommandError, match="ZERODB_DEMO_KEYS"):
        call_command("zerodb_demo_keys")
