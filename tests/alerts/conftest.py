"""What the tests of alerts share."""

from collections.abc import Iterator

import pytest
from django.conf import settings

from apps.alerts.services import catalogue
from apps.alerts.services.loading import load
from tests.alerts.process import start as start


@pytest.fixture
def definitions(db: None) -> Iterator[None]:
    """Have the definitions that come with the portal."""
    load(settings.FIXTURES_DIR / "alert_definitions")
    yield
    catalogue.forget()
