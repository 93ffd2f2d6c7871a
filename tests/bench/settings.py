"""Settings of the bench: as the tests', with the twin tables."""
# ruff: noqa: F403, F405

from config.settings.test import *

INSTALLED_APPS = [*INSTALLED_APPS, "tests.bench.twin.apps.TwinConfig"]
LOGGING["root"]["level"] = "WARNING"
ALLOWED_HOSTS = ["*"]
