"""Before the processes start: secrets, migrations, the vault's keys, the demo."""

from __future__ import annotations

import hashlib
import json
import os
import subprocess
import sys
from pathlib import Path

import psycopg

from config.embedded.data_folder import secret
from config.supervisor.console import GiveUp, say

ROOT = Path(__file__).resolve().parent.parent.parent
_SECRETS = {
    "SECRET_KEY": "secret-key",
    "API_KEY_PEPPERS": "api-key-peppers",
}
_APPLIED = "SELECT md5(string_agg(concat(app, name, applied), ',' ORDER BY id)) FROM django_migrations"


def make_secrets(data: Path) -> None:
    """Generate, on the first start, what the environment does not give."""
    for variable, name in _SECRETS.items():
        if variable not in os.environ and f"{variable}_FILE" not in os.environ:
            secret(data, name)


def bring_up_to_date(data: Path, environment: dict[str, str], database_url: str) -> None:
    """Migrate and make the vault's keys, unless files and database are as they were after the last time."""
    stamp, files = data / "run" / "migrated", _files()
    applied = _applied(database_url)
    if applied and stamp.exists() and stamp.read_text() == files + applied:
        return
    if not applied:
        (data / "demo.json").unlink(missing_ok=True)  # it was about another database
    say("Bringing the database up to date")
    _manage(environment, "migrate", "--verbosity", "0")
    say("Looking for the vault's keys")
    try:
        say(_manage(environment, "init_vault"))
    except GiveUp as refusal:
        if "stays sealed" not in str(refusal):
            raise
        say(str(refusal))
    else:
        stamp.write_text(files + _applied(database_url))


def make_demo(data: Path, environment: dict[str, str], base_url: str) -> None:
    """Load the demo accounts on the first start (DEMO=0 does without), and keep their address true."""
    path = data / "demo.json"
    if os.environ.get("DEMO", "1") != "0" and not path.exists():
        say("Making the demo accounts")
        try:
            _manage(environment, "demo")
        except GiveUp as refusal:
            say(f"No demo accounts this time. {refusal}")
    if path.exists():
        demo = json.loads(path.read_text())
        if demo["base_url"] != base_url:
            path.write_text(json.dumps(demo | {"base_url": base_url}, indent=1))


def log_ins(data: Path, base_url: str) -> str:
    """The demo's log-ins, to be printed; "" without a demo."""
    try:
        demo = json.loads((data / "demo.json").read_text())
    except FileNotFoundError:
        return ""
    lines = ["", "Demo log-ins"]
    for account in demo["accounts"]:
        lines.append(f"  {account['name']}  {base_url}/app/{account['slug']}/")
        lines += [f"    {user['role']:7} {user['email']:32} {user['password']}" for user in account["users"]]
    admin = demo["super_admin"]
    lines.append(f"  Super admin  {base_url}/admin/")
    lines.append(f"    {admin['email']}  {admin['password']}  static token {admin['static_tokens'][0]}")
    return "\n".join([*lines, "", ""])


def _files() -> str:
    """A fingerprint of what decides which migrations and declared prices there are: migrating stores both."""
    digest = hashlib.sha256()
    declaring = [path for path in ROOT.glob("apps/**/*.py") if b"declare_price(" in path.read_bytes()]
    for path in sorted(
        {
            *ROOT.glob("apps/*/migrations/*.py"),
            *ROOT.glob("apps/integrations/providers/**/*.py"),
            *declaring,
            *ROOT.glob("config/settings/*.py"),
            ROOT / "requirements" / "base.txt",
        }
    ):
        digest.update(str(path.relative_to(ROOT)).encode() + path.read_bytes())
    return digest.hexdigest()


def _applied(database_url: str) -> str:
    """A fingerprint of the migrations this database has; "" when it has none (or can't be asked)."""
    try:
        with psycopg.connect(database_url, connect_timeout=5) as connection:
            row = connection.execute(_APPLIED).fetchone()
    except psycopg.Error:
        return ""
    return (row[0] if row else None) or ""


def _manage(environment: dict[str, str], *arguments: str) -> str:
    """Run a command of manage.py. Returns what it printed. Raises GiveUp with its last words."""
    done = subprocess.run(
        [sys.executable, "manage.py", *arguments],
        cwd=ROOT,
        env=environment,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        check=False,
    )
    if done.returncode != 0:
        raise GiveUp(f"manage.py {arguments[0]} failed:\n{_last_words(done.stdout, environment, arguments[0])}")
    return done.stdout.strip()


_IN_WORDS = "django.core.exceptions.ImproperlyConfigured: "
"""Begins what was written for people: they need no traceback to mend a setting."""


def _last_words(output: str, environment: dict[str, str], command: str) -> str:
    """What a command that failed said. Of a traceback the exception alone; the whole goes to a file, which is named."""
    _, marker, trace = output.strip().rpartition("Traceback (most recent call last):")
    if not marker:
        return output.strip()[-2000:]
    lines = trace.splitlines()
    last = max((number for number, line in enumerate(lines) if line.startswith(" ")), default=-1)
    words = "\n".join(lines[last + 1 :])
    if words.startswith(_IN_WORDS):
        return words.removeprefix(_IN_WORDS)
    log = Path(environment["DATA"]) / "logs" / f"{command}.log"
    log.parent.mkdir(parents=True, exist_ok=True)
    log.write_text(output)
    return f"{words}\n(The whole of it is in {log}.)"
