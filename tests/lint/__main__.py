"""``python -m tests.lint``: every check of this folder; prints each fault and exits 1 when there is one."""

from __future__ import annotations

import os
import sys
import time
from collections.abc import Callable

import django

from tests.lint import django_project, licences, locks
from tools import catalogue

CHECKS: dict[str, Callable[[], list[str]]] = {
    "system checks": django_project.system_checks,
    "migrations": django_project.missing_migrations,
    "templates": django_project.broken_templates,
    "catalogue of providers": catalogue.faults,
    "licences": licences.faults,
    "requirements locked": locks.faults,
}


def main() -> int:
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "config.settings.test")
    os.environ.setdefault("DATABASE_ROLE", "app")
    django.setup()
    failed = False
    for name, check in CHECKS.items():
        began = time.monotonic()
        faults = check()
        print(f"{name}: {f'{len(faults)} faults' if faults else 'well'} ({time.monotonic() - began:.1f} s)")
        for fault in faults:
            print(f"  {fault}")
        failed = failed or bool(faults)
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
