"""The component of an alert by the address of its sender, also where that was entered a moment ago."""

import pytest

from apps.alerts.receivers import senders
from apps.alerts.receivers.senders import Senders
from tests.factories import make_component

pytestmark = pytest.mark.django_db
ONE, OTHER = "192.0.2.71", "192.0.2.72"


def names(found: dict, address: str) -> list[str]:
    return [component.name for component in found.get(address, [])]


def test_a_stranger_is_looked_for_anew_after_a_second_and_who_is_known_after_five(monkeypatch):
    known = make_component("known", alert_addresses=[ONE])
    asked = Senders()
    assert (names(asked.find([ONE]), ONE), names(asked.find([OTHER]), OTHER)) == (["known"], [])
    entered = make_component("entered", alert_addresses=[OTHER])
    monkeypatch.setattr(senders, "FRESH_TO_STRANGERS", 60.0)  # it has not passed, however slow the machine is
    assert names(asked.find([OTHER]), OTHER) == []
    monkeypatch.setattr(senders, "FRESH_TO_STRANGERS", 0.0)  # it has passed
    assert names(asked.find([ONE, OTHER]), OTHER) == ["entered"]
    monkeypatch.setattr(senders, "FRESH", 60.0)
    known.alert_addresses, entered.alert_addresses = [], [ONE, OTHER]
    known.save()
    entered.save()
    assert names(asked.find([ONE]), ONE) == ["known"]
    monkeypatch.setattr(senders, "FRESH", 0.0)
    assert names(asked.find([ONE]), ONE) == ["entered"]
