"""Production refuses what would make it weak, and is content with a full set."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent.parent
COMPLETE = {
    "DJANGO_SETTINGS_MODULE": "config.settings.production",
    "DATABASE_URL": "postgres://strongroom_app:word@db.example/strongroom",
    "MIGRATION_DATABASE_URL": "postgres://strongroom_owner:word@db.example/strongroom",
    "REDIS_URL": "redis://cache.example/0",
    "SECRET_KEY": "Vq3xKp9wTz7LmYb2NcRd8HfGs5JkAe4Uo6Xi1Pt0Zr9vBn4MqW7e",
    "API_KEY_PEPPERS": "Zw8rTn5vKq2yBx7mLc4jHg1fDs9aPe3Ru6oIt0Qk",
    "VAULT_MASTER_KEY_URI": "env://MASTER_KEY",
    "BASE_URL": "https://strongroom.example.com",
    "ALLOWED_HOSTS": "strongroom.example.com",
    "EMAIL_URL": "smtp://mailer:word@mail.example:587?tls=1",
    "TRUSTED_PROXIES": "1",
}


def _check(**changes: str | None) -> subprocess.CompletedProcess[str]:
    environment = {name: os.environ[name] for name in ("PATH", "HOME", "LANG") if name in os.environ}
    for name, value in {**COMPLETE, **changes}.items():
        if value is not None:
            environment[name] = value
    return subprocess.run(
        [sys.executable, "manage.py", "check", "--deploy", "--fail-level", "WARNING"],
        cwd=ROOT,
        env=environment,
        capture_output=True,
        text=True,
        timeout=300,
        check=False,
    )


@pytest.mark.covers("O-02")
def test_a_full_set_passes_the_deployment_check() -> None:
    done = _check()
    assert done.returncode == 0, done.stderr
    assert "no issues" in done.stdout


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"SECRET_KEY": None}, "SECRET_KEY"),
        ({"SECRET_KEY": "only-for-commands-before-the-first-start"}, "SECRET_KEY can be guessed"),
        ({"SECRET_KEY": "short"}, "SECRET_KEY can be guessed"),
        ({"SECRET_KEY": "a" * 50}, "SECRET_KEY can be guessed"),
        ({"DEBUG": "1"}, "DEBUG can't be on"),
        ({"API_KEY_PEPPERS": None}, "API_KEY_PEPPERS"),
        ({"VAULT_MASTER_KEY_URI": None}, "VAULT_MASTER_KEY_URI"),
        ({"DATABASE_URL": None}, "DATABASE_URL"),
        ({"DATABASE_URL": "mysql://x@y/z"}, "needs PostgreSQL"),
        ({"REDIS_URL": None}, "REDIS_URL"),
        ({"EMAIL_URL": None}, "EMAIL_URL"),
        ({"EMAIL_URL": "mail.example"}, "EMAIL_URL must look like"),
        ({"ALLOWED_HOSTS": None}, "ALLOWED_HOSTS"),
        ({"ALLOWED_HOSTS": "other.example.com"}, "config.E003"),
        ({"BASE_URL": "http://strongroom.example.com"}, "config.E004"),
        ({"BASE_URL": "strongroom.example.com"}, "config.E002"),
        ({"MIGRATION_DATABASE_URL": COMPLETE["DATABASE_URL"]}, "config.E001"),
        ({"TRUSTED_PROXIES": None}, "config.W001"),
        ({"SECURE_SSL_REDIRECT": "perhaps"}, "SECURE_SSL_REDIRECT must be true or false"),
        ({"LOG_LEVEL": "LOUD"}, "LOG_LEVEL must be one of"),
        ({"SECRET_KEY_FILE": "/nowhere"}, "not both"),
    ],
    ids=lambda value: " ".join(f"{name}={given}" for name, given in value.items()) if isinstance(value, dict) else None,
)
def test_it_refuses(changes: dict[str, str | None], words: str) -> None:
    done = _check(**changes)
    assert done.returncode != 0
    assert words in done.stderr


def test_a_secret_may_lie_in_a_file(tmp_path: Path) -> None:
    path = tmp_path / "secret-key"
    path.write_text(COMPLETE["SECRET_KEY"] + "\n")
    assert _check(SECRET_KEY=None, SECRET_KEY_FILE=str(path)).returncode == 0


@pytest.fixture(scope="module", params=["asgi", "wsgi"])
def starts(
    request: pytest.FixtureRequest, django_db_setup: None, tmp_path_factory: pytest.TempPathFactory
) -> dict[str, subprocess.CompletedProcess[str]]:
    """Three starts of one door: with nothing collected, as it should be, and in the role that owns the tables."""
    data = tmp_path_factory.mktemp("production")
    bare = _serve(request.param, data)
    _collect(data)
    return {"bare": bare, "ready": _serve(request.param, data), "owner": _serve(request.param, data, as_owner=True)}


def test_it_serves_as_it_should_be(starts: dict[str, subprocess.CompletedProcess[str]]) -> None:
    assert starts["ready"].returncode == 0, starts["ready"].stderr


@pytest.mark.covers("A-07")
def test_it_does_not_serve_with_a_role_that_owns_the_tables(
    starts: dict[str, subprocess.CompletedProcess[str]],
) -> None:
    assert starts["owner"].returncode == 1
    assert "owns" in starts["owner"].stderr


@pytest.mark.covers("O-02")
def test_it_does_not_serve_before_the_static_files_are_collected(
    starts: dict[str, subprocess.CompletedProcess[str]],
) -> None:
    assert starts["bare"].returncode == 1
    assert "manage.py collectstatic --noinput" in starts["bare"].stderr


def _collect(data: Path) -> None:
    """What collectstatic leaves behind and a start looks at; collecting itself takes ten seconds."""
    (data / "static").mkdir()
    manifest = {"version": "1.1", "hash": "", "paths": {"css/strongroom.css": "css/strongroom.0123456789ab.css"}}
    (data / "static" / "staticfiles.json").write_text(json.dumps(manifest))


def _serve(door: str, data: Path, *, as_owner: bool = False) -> subprocess.CompletedProcess[str]:
    """Load the application as its server does, against this test's database."""
    from django.conf import settings
    from django.db import connections

    name = connections["default"].settings_dict["NAME"]
    role = settings.MIGRATION_DATABASE_URL if as_owner else settings.DATABASE_URL
    environment = {
        **COMPLETE,
        "PATH": os.environ["PATH"],
        "DATA": str(data),
        "REDIS_URL": settings.REDIS_URL,
        "DATABASE_URL": role.rpartition("/")[0] + f"/{name}",
        "MIGRATION_DATABASE_URL": "",
    }
    return subprocess.run(
        [sys.executable, "-c", f"import config.{door}"],
        cwd=ROOT,
        env=environment,
        capture_output=True,
        text=True,
        timeout=300,
        check=False,
    )
