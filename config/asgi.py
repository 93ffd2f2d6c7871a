"""HTTP and WebSockets on ASGI."""

import os
from typing import Any

from channels.routing import ProtocolTypeRouter
from django.core.asgi import get_asgi_application

from config.body_limit import limited

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "config.settings.local")

django = get_asgi_application()


async def no_websocket(scope: dict[str, Any], receive: Any, send: Any) -> None:
    """Refuse the handshake (403): nothing here speaks over WebSockets yet."""
    await receive()
    await send({"type": "websocket.close"})


application = ProtocolTypeRouter({"http": limited(django), "websocket": no_websocket})

from apps.accounts.tenancy.checks import require_walls  # noqa: E402 - needs the applications
from config.static_files import require_static_files  # noqa: E402

require_walls()
require_static_files()
