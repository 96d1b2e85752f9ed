"""Two reports of ports make rates; wraps are mended, resets give none."""

from datetime import timedelta

from apps.drivers.contract import Port, PortsReport, PortState
from apps.monitoring import port_reports


def port(**fields) -> Port:
    about = {
        "index": 1, "name": "eth0", "description": "Intel", "alias": "up", "mac_address": "02:00:00:00:00:01",
        "state": PortState.UP, "speed": 1_000_000_000, "type": 6, "counter_bits": 64, "in_octets": 1000,
        "out_octets": 2000, "in_packets": 10, "out_packets": 20, "in_errors": 0, "out_errors": 0, "in_discards": 0,
        "out_discards": 0,
    }  # fmt: skip
    return Port(**about | fields)


def report(uptime: float | None = 100.0, **fields) -> bytes:
    return port_reports.pack(PortsReport((port(**fields),), None if uptime is None else timedelta(seconds=uptime)))


def view(before: bytes | None, after: bytes, seconds: float = 10.0) -> port_reports.PortView:
    (found,) = port_reports.views(after, 1000.0 + seconds, before, 1000.0 if before is not None else None)
    return found


def test_the_first_report_has_no_rates():
    found = view(None, report(last_change=timedelta(seconds=30)))
    assert (found.name, found.state, found.speed, found.mac_address) == (
        "eth0", PortState.UP, 1_000_000_000, "02:00:00:00:00:01",
    )  # fmt: skip
    assert set(found.rates.values()) == {None}
    assert found.totals["in_octets"] == 1000
    assert found.state_since == 980.0


def test_two_reports_make_rates_per_second():
    found = view(report(), report(110.0, in_octets=2000, in_errors=5))
    assert (found.in_rate, found.out_rate) == (800.0, 0.0)
    assert found.rates["in_errors"] == 0.5


def test_a_counter_of_32_bits_that_wrapped_is_mended():
    found = view(report(counter_bits=32, in_octets=2**32 - 500), report(110.0, counter_bits=32, in_octets=500))
    assert found.in_rate == 800.0


def test_a_restart_gives_no_rates():
    assert view(report(100.0), report(5.0, in_octets=5000)).in_rate is None


def test_a_counter_that_was_set_back_gives_no_rate():
    assert view(report(None, in_octets=2**40), report(None, in_octets=10)).in_rate is None


def test_more_than_the_port_can_carry_is_no_rate():
    assert view(report(), report(110.0, in_octets=10**12)).in_rate is None
    assert view(report(speed=None), report(110.0, in_octets=10**12, speed=None)).in_rate == (10**12 - 1000) * 8 / 10


def test_a_port_that_is_new_and_a_counter_that_is_not_counted_have_no_rate():
    assert view(report(index=7), report(110.0)).in_rate is None
    assert view(report(), report(110.0, in_discards=None)).rates["in_discards"] is None
