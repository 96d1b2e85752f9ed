"""The WSGI application, for servers that speak nothing newer (no live pages there)."""

import os

from django.core.wsgi import get_wsgi_application

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "esm.settings.prod")

application = get_wsgi_application()
