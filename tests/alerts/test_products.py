"""Every known enterprise gives the traps of its devices their product and type, in version 1 and 2c."""

from collections import Counter
from functools import cache

import pytest
from django.conf import settings

from apps.alerts.models import AlertDefinition
from apps.alerts.services import products
from apps.alerts.services.catalogue import Catalogue
from apps.alerts.services.files import parse
from apps.alerts.services.interpretation import Meaning, interpret
from apps.components.models import Component
from apps.protocols.snmp.ber import Tag, encode_element, encode_integer, encode_value, encode_varbinds
from apps.protocols.snmp.notification import decode_notification, encode_notification_v2

KNOWN = products.read(settings.FIXTURES_DIR / products.FILE)
FILES = sorted((settings.FIXTURES_DIR / "alert_definitions").glob("*.yaml"))
SNMP_TRAP_ENTERPRISE = "1.3.6.1.6.3.1.1.4.3.0"
LINK_DOWN = "1.3.6.1.6.3.1.1.5.3"


@cache
def shipped() -> Catalogue:
    """Give the definitions that come with the portal, without a database."""
    return Catalogue(
        tuple(
            AlertDefinition(pk=number, key=key, origin=name, **fields)
            for number, (key, name, fields) in enumerate(
                (key, path.name, fields)
                for path in FILES
                for key, fields in parse(path.read_text(encoding="utf-8"), path.name).items()
            )
        )
    )


def version_1(enterprise: str, generic: int, specific: int) -> bytes:
    """Write a version 1 trap as RFC 1157 §4.1.6 has it."""
    pdu = [
        encode_value(Tag.OBJECT_IDENTIFIER, enterprise),
        encode_element(Tag.IP_ADDRESS, bytes([192, 0, 2, 1])),
        encode_integer(generic),
        encode_integer(specific),
        encode_element(Tag.TIME_TICKS, b"\x01"),
        encode_element(0x30, encode_varbinds([])),
    ]
    message = [encode_integer(0), encode_element(Tag.OCTET_STRING, b"public"), encode_element(0xA4, b"".join(pdu))]
    return encode_element(0x30, b"".join(message))


def version_2(trap_oid: str, enterprise: str = "") -> bytes:
    sent = [(SNMP_TRAP_ENTERPRISE, Tag.OBJECT_IDENTIFIER, enterprise)] if enterprise else []
    return encode_notification_v2(b"public", trap_oid, varbinds=sent)


def meaning(datagram: bytes, component: Component | None = None) -> Meaning:
    """Decode a datagram and say what it means."""
    trap = decode_notification(datagram)
    return interpret(shipped(), trap.trap_oid, trap.enterprise or "", [], component)


def test_all_enterprises_of_the_guide_are_known():
    assert len(KNOWN.products) == 268
    assert len({product.enterprise for product in KNOWN.products}) == 268
    assert Counter((product.family, product.alert_type) for product in KNOWN.products) == {
        ("iStorage T", "Tape Library"): 4,
        ("UNIVERGE IX", "UNIVERGE_IX"): 34,
        ("UNIVERGE QX", ""): 228,
        ("HPE (Compaq), iLO", ""): 2,
    }
    assert sum(product.standard for product in KNOWN.products) == 5


def test_its_own_traps_get_the_product_and_its_type():
    for product in KNOWN.products:
        sender = Component(model="QX-S5224GT-4X") if product.standard else None
        name = "UNIVERGE QX-S5224GT-4X" if product.standard else product.name
        filed_under = product.alert_type or "SNMP Trap"
        for datagram in (version_1(product.enterprise, 6, 4711), version_2(f"{product.enterprise}.0.4711")):
            found = meaning(datagram, sender)
            assert (found.product, found.alert_type) == (name, filed_under), product
            assert found.definition is not None, product
            assert found.definition.key == "portal.known-enterprise", product


def test_a_standard_trap_keeps_its_meaning_and_gets_the_product():
    for product in KNOWN.products:
        if product.standard:  # no device has such a sysObjectID
            assert KNOWN.of_enterprise(product.enterprise) is None, product
            continue
        for datagram in (version_1(product.enterprise, 2, 0), version_2(LINK_DOWN, product.enterprise)):
            found = meaning(datagram)
            assert (found.product, found.alert_type) == (product.name, product.alert_type or "SNMP Trap"), product
            assert found.definition is not None, product
            assert (found.definition.key, found.severity) == ("linkDown", "warning"), product


@pytest.mark.parametrize(
    ("trap_oid", "key"),
    [
        ("1.3.6.1.2.1.16.0.1", "risingAlarm"),
        ("1.3.6.1.2.1.17.0.1", "newRoot"),
        ("1.3.6.1.2.1.47.2.0.1", "entConfigChange"),
        ("1.3.6.1.2.1.80.0.2", "pingTestFailed"),
        ("1.3.6.1.2.1.105.0.2", "pethMainPowerUsageOnNotification"),
    ],
)
@pytest.mark.parametrize("sender", [None, Component(model="Catalyst 3560"), Component(model="IX2215")])
def test_a_foreign_trap_below_a_standard_root_is_no_qx(trap_oid: str, key: str, sender: Component | None):
    enterprise, _zero, number = trap_oid.rsplit(".", 2)
    datagrams = [version_1(enterprise, 6, int(number)), version_2(trap_oid), version_2(trap_oid, "1.3.6.1.4.1.9.1.1")]
    for datagram in datagrams:
        found = meaning(datagram, sender)
        assert found.definition is not None
        assert found.definition.key == key
        assert "QX" not in found.product

    said_so = meaning(version_2(trap_oid, "1.3.6.1.4.1.119.1.126.2.104"))
    assert (said_so.product, said_so.definition and said_so.definition.key) == ("UNIVERGE QX-S5224GT-4X", key)


def test_an_unknown_standard_trap_is_shown_of_a_qx_alone():
    datagram = version_1("1.3.6.1.2.1.16", 6, 99)
    assert meaning(datagram, Component(model="Catalyst 3560")).definition is None
    unlisted = meaning(datagram, Component(model="QX-S9999"))
    assert (unlisted.product, unlisted.definition and unlisted.definition.key) == (
        "UNIVERGE QX",
        "portal.known-enterprise",
    )


def test_the_model_goes_before_what_the_family_has_in_common():
    both = version_2("1.3.6.1.4.1.119.2.3.84.3.2.0.1", "1.3.6.1.4.1.119.1.84.16.1")
    assert meaning(both).product == "UNIVERGE IX2215"
    assert meaning(version_2("1.3.6.1.4.1.119.2.3.84.3.2.0.1")).product == "UNIVERGE IX"
    assert meaning(version_2("1.3.6.1.4.1.119.2.3.84.3.2.0.1"), Component(model="IX2215")).product == "UNIVERGE IX2215"
    deeper = version_1("1.3.6.1.4.1.119.1.84.16.1.5", 6, 1)
    assert meaning(deeper).product == "UNIVERGE IX2215"  # the longest known one above
    assert meaning(version_1("1.3.6.1.4.1.119.1.84.99.1", 6, 1)).product == "UNIVERGE IX"


def test_a_trap_of_an_unknown_enterprise_is_unmatched():
    found = meaning(version_1("1.3.6.1.4.1.3375.2.4", 6, 1))
    assert (found.definition, found.product, found.severity) == (None, "", "unknown")


def test_a_qx_sends_the_traps_of_comware_under_its_own_enterprise():
    for enterprise in ("1.3.6.1.4.1.25506.2.66.3", "1.3.6.1.4.1.119.2.3.126.10.2.66.3"):
        for datagram in (version_1(enterprise, 6, 1), version_2(f"{enterprise}.1")):
            found = meaning(datagram)
            assert found.definition is not None
            assert found.definition.key == "comware.storm"
            assert found.product == ("UNIVERGE QX" if "119" in enterprise else "")


def test_ilo_is_recognised_under_both_of_its_enterprises():
    for enterprise in ("1.3.6.1.4.1.232", "1.3.6.1.4.1.232.9.4.11"):
        for datagram in (version_1(enterprise, 6, 6050), version_2(f"{enterprise}.0.6050")):
            found = meaning(datagram)
            assert found.definition is not None
            assert (found.definition.key, found.severity) == ("hpe.power-supply-failed", "critical")
            assert found.product == "HPE (Compaq), iLO"
