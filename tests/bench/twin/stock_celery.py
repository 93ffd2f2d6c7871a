"""The product's settings with Celery's own handling of database connections: closed before and after every task."""
# ruff: noqa: F403

from config.settings.production import *

CELERY_DB_REUSE_MAX = None
