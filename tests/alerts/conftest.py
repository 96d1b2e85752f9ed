"""What the tests of alerts share."""

from collections.abc import Iterator

import pytest

from apps.alerts.services import catalogue
from tests.alerts.process import start as start
from tests.factories import ship_definitions


@pytest.fixture
def definitions(db: None) -> Iterator[None]:
    """Have the definitions that come with the portal."""
    ship_definitions()
    yield
    catalogue.forget()
