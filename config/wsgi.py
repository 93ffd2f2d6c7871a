"""HTTP on WSGI."""

import os

from django.core.wsgi import get_wsgi_application

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "config.settings.local")

application = get_wsgi_application()

from apps.accounts.tenancy.checks import require_walls  # noqa: E402 - needs the applications
from config.static_files import require_static_files  # noqa: E402

require_walls()
require_static_files()
