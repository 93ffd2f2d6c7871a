"""The Celery application."""

import math
import os
import time

from celery import Celery
from celery.signals import setup_logging, task_postrun, worker_init, worker_ready
from django.dispatch import receiver

from apps.accounts.signals import job_held

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "config.settings.local")

app = Celery("strongroom")
app.config_from_object("django.conf:settings", namespace="CELERY")
app.autodiscover_tasks()


@setup_logging.connect
def _keep_our_logging(**_: object) -> None:
    """Celery sets up its own logging unless somebody says it is done: settings.LOGGING did."""


@worker_init.connect
def _refuse_without_walls(**_: object) -> None:
    from apps.accounts.tenancy.checks import require_walls

    require_walls()


_shown = -math.inf
SECONDS_BETWEEN_SIGNS = 3.0
"""Short tasks come by the hundred a second, and health asks for one sign in half a minute."""


@worker_ready.connect
@task_postrun.connect
@receiver(job_held)  # while every worker is at a job that takes minutes, no task ends
def _show_life(**_: object) -> None:
    global _shown
    if time.monotonic() - _shown < SECONDS_BETWEEN_SIGNS:
        return
    from config.health import worker_seen

    worker_seen()
    _shown = time.monotonic()
