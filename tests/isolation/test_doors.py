"""Every task, consumer, command and job kind is listed with how it gets its scope."""

from __future__ import annotations

import importlib
import pkgutil

import pytest
from channels.consumer import AsyncConsumer, SyncConsumer
from django.apps import apps
from django.core.management import get_commands

from apps.accounts.jobs.registry import kinds
from config.celery import app as celery
from tests.isolation import doors

pytestmark = pytest.mark.covers("A-07")

_HOW = "Say in tests/isolation/doors.py how these get their scope: "


def _modules() -> list[str]:
    """Import every module of our apps, so that what they declare is known."""
    names = []
    for config in apps.get_app_configs():
        if config.name.startswith("apps."):
            for found in pkgutil.walk_packages(config.module.__path__, f"{config.name}."):
                if ".migrations" not in found.name:
                    importlib.import_module(found.name)
                    names.append(found.name)
    return names


def test_every_task_is_listed() -> None:
    celery.loader.import_default_modules()
    assert _modules()
    found = {name for name in celery.tasks if not name.startswith("celery.")}
    assert not found - set(doors.TASKS), _HOW + ", ".join(sorted(found - set(doors.TASKS)))
    assert not set(doors.TASKS) - found, f"Listed and gone: {sorted(set(doors.TASKS) - found)}"


def test_every_consumer_is_listed() -> None:
    assert _modules()
    found = {
        f"{kind.__module__}.{kind.__qualname__}"
        for base in (AsyncConsumer, SyncConsumer)
        for kind in _below(base)
        if kind.__module__.startswith("apps.")
    }
    assert found == set(doors.CONSUMERS), _HOW + ", ".join(sorted(found ^ set(doors.CONSUMERS)))


def _below(kind: type) -> set[type]:
    return {below for child in kind.__subclasses__() for below in {child, *_below(child)}}


def test_every_command_is_listed() -> None:
    found = {name for name, app in get_commands().items() if app.startswith("apps.")}
    assert not found - set(doors.COMMANDS), _HOW + ", ".join(sorted(found - set(doors.COMMANDS)))
    assert not set(doors.COMMANDS) - found, f"Listed and gone: {sorted(set(doors.COMMANDS) - found)}"


def test_every_kind_of_job_is_listed() -> None:
    found = {name for name in kinds() if not name.startswith("test.")}
    assert found == set(doors.JOB_KINDS), _HOW + ", ".join(sorted(found ^ set(doors.JOB_KINDS)))
