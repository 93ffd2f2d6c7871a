"""HTTP and WebSockets on ASGI."""

import os

from channels.routing import ProtocolTypeRouter
from django.core.asgi import get_asgi_application

from config.body_limit import limited

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "config.settings.local")

django = get_asgi_application()

from config.sockets import sockets  # noqa: E402 - needs the applications

application = ProtocolTypeRouter({"http": limited(django), "websocket": sockets})

from apps.accounts.tenancy.checks import require_walls  # noqa: E402 - needs the applications
from config.static_files import require_static_files  # noqa: E402

require_walls()
require_static_files()
