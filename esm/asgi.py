"""The ASGI application of both listening ports; ``apps.system.web`` serves it."""

import os

from django.core.asgi import get_asgi_application

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "esm.settings.prod")

django_application = get_asgi_application()

from apps.access.bodies import Bounded  # noqa: E402 - it needs the apps
from apps.control.consoles.relay import Relayed  # noqa: E402

application = Relayed(Bounded(django_application))
