"""Settings of the twin's own server: stock Django and REST framework, with persistent connections."""
# ruff: noqa: F403, F405

from tests.bench.settings import *

DEBUG = False
ALLOWED_HOSTS = ["*"]
ROOT_URLCONF = "tests.bench.twin.urls"
REST_FRAMEWORK: dict[str, object] = {}
DATABASES["default"].update(CONN_MAX_AGE=600, CONN_HEALTH_CHECKS=False)
