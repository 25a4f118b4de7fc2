"""The Management Node's web half as an ASGI application, for servers that import one."""

from __future__ import annotations

from django.core.asgi import get_asgi_application

from rostra.environment import Environment
from rostra.management.settings import configure

configure(Environment.load())
application = get_asgi_application()
