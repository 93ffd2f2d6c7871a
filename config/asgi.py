"""HTTP and WebSockets on ASGI."""

import os

from django.core.asgi import get_asgi_application

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "config.settings.local")

application = get_asgi_application()

from apps.accounts.tenancy.checks import require_walls  # noqa: E402 - needs the applications
from config.static_files import require_static_files  # noqa: E402

require_walls()
require_static_files()
