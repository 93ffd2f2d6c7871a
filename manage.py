#!/usr/bin/env python
"""Commands of the product: ``python manage.py help``."""

import os
import sys


def main() -> None:
    """Run the command on the command line."""
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "config.settings.local")
    from django.core.management import execute_from_command_line
    from django.db import OperationalError

    try:
        execute_from_command_line(sys.argv)
    except OperationalError as error:
        if "--traceback" in sys.argv:
            raise
        words = str(error).strip().splitlines()[0]
        sys.exit(f"The database can't be used: {words}\n(`make run` or `make services` starts the embedded one.)")


if __name__ == "__main__":
    main()
