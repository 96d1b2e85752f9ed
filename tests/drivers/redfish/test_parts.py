"""Odd values of Redfish resources, and the newer ones that have no recorded answers."""

import pytest

from apps.drivers.contract import POWER_OFF, BootDevice, BootOverride, Limits, PowerAction, PowerDrawn, Status
from apps.drivers.redfish import health, orders, parts, storage, supply, thermal, values
from apps.drivers.redfish.kept import Kept, with_powered_off
from apps.protocols.errors import Unsupported

ENABLED = {"State": "Enabled", "Health": "OK"}


def test_a_limit_of_zero_is_no_limit() -> None:
    source = {"UpperThresholdNonCritical": 0, "UpperThresholdCritical": 0, "LowerThresholdFatal": 0}
    assert thermal.limits(source) == Limits()
    assert supply.drawn({"PowerControl": [{"PowerConsumedWatts": 80, "PowerLimit": {"LimitInWatts": 0}}]}) == (
        PowerDrawn(80.0)
    )


def test_two_levels_are_caution_and_critical_with_makers_that_call_them_critical_and_fatal() -> None:
    source = {"UpperThresholdCritical": 42, "UpperThresholdFatal": 47}
    assert thermal.limits(source) == Limits(upper_critical=42.0)
    assert thermal.limits(source, critical_is_caution=True) == Limits(upper_warning=42.0, upper_critical=47.0)


def test_the_newer_sensors_and_subsystems() -> None:
    told = thermal.sensors(
        [
            {
                "Id": "Inlet",
                "Name": "Inlet",
                "ReadingType": "Temperature",
                "Reading": 21.5,
                "Thresholds": {"UpperCaution": {"Reading": 35}, "UpperCritical": {"Reading": 0}},
                "Status": {"State": "Enabled", "Health": "Warning"},
            },
            {"Id": "Fan1", "ReadingType": "Rotational", "Reading": 4000},
            {"Id": "Odd", "ReadingType": "Barometric", "Reading": 1},
        ],
        "",
        powered_off=False,
    )
    ((inlet,), states) = (told.readings, told.states)
    assert (inlet.sensor.key, inlet.value, inlet.status) == ("sensor.Inlet", 21.5, Status.WARNING)
    assert (inlet.sensor.limits, states) == (Limits(upper_warning=35.0), [])
    fans = thermal.fans(
        [{"Id": "1", "SpeedPercent": {"Reading": 30, "SpeedRPM": 5400}, "Status": ENABLED}], "", powered_off=False
    )
    assert [(one.sensor.unit, one.value) for one in fans.readings] == [("rpm", 5400.0)]
    metrics = {
        "PowerWatts": {"Reading": 310, "PeakReading": 420},
        "PowerLimitWatts": {"SetPoint": 500, "ControlMode": "Automatic"},
    }
    assert supply.drawn_by_metrics(metrics) == PowerDrawn(310.0, maximum=420.0, cap=500.0)
    metrics["PowerLimitWatts"]["ControlMode"] = "Disabled"
    assert supply.drawn_by_metrics(metrics) == PowerDrawn(310.0, maximum=420.0)


def test_what_a_machine_cannot_tell_while_it_is_off_is_not_available() -> None:
    source = {
        "Temperatures": [
            {"MemberId": "0", "Name": "Inlet", "ReadingCelsius": 20, "Status": ENABLED},
            {"MemberId": "1", "Name": "CPU", "ReadingCelsius": 0, "Status": {"State": "StandbyOffline"}},
        ],
        "Fans": [{"MemberId": "0", "Name": "Fan", "Reading": 0, "LowerThresholdCritical": 600, "Status": ENABLED}],
    }
    off = thermal.thermal(source, "", powered_off=True)
    assert [(one.sensor.key, one.value, one.why) for one in off.readings] == [
        ("temperature.0", 20.0, ""),
        ("temperature.1", None, POWER_OFF),
        ("fan.0", None, POWER_OFF),
    ]
    on = thermal.thermal(source, "", powered_off=False)
    assert [one.value for one in on.readings] == [20.0, 0.0, 0.0]
    fewer = thermal.thermal({"Fans": source["Fans"]}, "", powered_off=True)
    assert [(one.sensor.key, one.why) for one in with_powered_off(fewer, on).readings] == [
        ("fan.0", POWER_OFF),
        ("temperature.0", POWER_OFF),
        ("temperature.1", POWER_OFF),
    ]


def test_drives_that_are_about_to_fail_or_worn() -> None:
    worn = {"Id": "3", "Name": "SSD", "PredictedMediaLifeLeftPercent": 8, "FailurePredicted": True, "Status": ENABLED}
    dead = {"Id": "4", "Name": "SSD", "FailurePredicted": True, "Status": {"Health": "Critical"}}
    told = storage.told([storage.Array({"Id": "R"}, (), [worn, dead, {"Status": {"State": "Absent"}}], ())])
    assert [(one.key, one.words, one.status) for one in told.states] == [
        ("drive.R.3", ("Failure predicted",), Status.WARNING),
        ("drive.R.4", ("Critical",), Status.CRITICAL),
    ]
    (life,) = told.readings
    assert (life.sensor.name, life.value) == ("Media life left 3", 8.0)
    assert life.sensor.limits.judge(life.value) is Status.WARNING


def test_a_condition_is_told_beside_the_health() -> None:
    kind = parts.KINDS["memory"]
    rebuilding = health.state("v", "Volume", kind, {"Status": {"State": "Degraded", "Health": "Warning"}})
    assert rebuilding is not None
    assert (rebuilding.words, rebuilding.status) == (("Warning", "Degraded"), Status.WARNING)
    spare = health.state("d", "Drive", kind, {"Status": {"State": "StandbySpare", "Health": "OK"}})
    assert spare is not None
    assert (spare.words, spare.status) == (("Spare",), Status.NORMAL)
    assert health.state("x", "Nothing", kind, {}) is None


def test_a_failing_part_that_nothing_names_is_told_of_the_system() -> None:
    found = parts.overall({"Status": {"Health": "OK", "HealthRollup": "Critical"}})
    assert found is not None
    assert (found.words, found.status) == (("A part does not work",), Status.CRITICAL)


def test_reset_types_from_an_action_info() -> None:
    action = {"target": "/reset", "@Redfish.ActionInfo": "/info"}
    information = {"Parameters": [{"Name": "ResetType", "AllowableValues": ["On", "PowerCycle", "PushPowerButton"]}]}
    assert orders.action_info(action) == "/info"
    offered = orders.reset_types(action, information)
    assert orders.ways("/reset", offered) == {
        PowerAction.ON: ("/reset", "On"),
        PowerAction.CYCLE: ("/reset", "PowerCycle"),
        PowerAction.SHUTDOWN: ("/reset", "PushPowerButton"),
    }
    assert orders.ways(None, offered) == {}


def test_boot_sources() -> None:
    assert orders.boot({"Boot": {"BootSourceOverrideEnabled": "Disabled", "BootSourceOverrideTarget": "Pxe"}}) == (
        BootOverride(BootDevice.NONE)
    )
    with pytest.raises(Unsupported, match="start from UefiHttp"):
        orders.boot({"Boot": {"BootSourceOverrideEnabled": "Once", "BootSourceOverrideTarget": "UefiHttp"}})
    offered = {"Boot": {"BootSourceOverrideTarget@Redfish.AllowableValues": ["None", "Utilities"]}}
    assert orders.boot_change(offered, BootOverride(BootDevice.DIAGNOSTIC, uefi=False), "b")["Boot"] == {
        "BootSourceOverrideEnabled": "Once",
        "BootSourceOverrideTarget": "Utilities",
        "BootSourceOverrideMode": "Legacy",
    }
    with pytest.raises(Unsupported, match="cannot start the machine from this device"):
        orders.boot_change(offered, BootOverride(BootDevice.PXE), "b")
    assert orders.boot_change(offered, BootOverride(BootDevice.NONE), "b") == {
        "Boot": {"BootSourceOverrideEnabled": "Disabled"}
    }


def test_the_lamp_in_its_older_and_newer_words() -> None:
    assert (orders.lamp({"LocationIndicatorActive": False, "IndicatorLED": "Lit"}), orders.lamp({})) == (False, None)
    blinking = {"IndicatorLED": "Blinking", "IndicatorLED@Redfish.AllowableValues": ["Blinking", "Off"]}
    assert (orders.lamp(blinking), orders.lamp_change(blinking, True)) == (True, {"IndicatorLED": "Blinking"})
    assert orders.lamp_change({}, True) is None


def test_a_cap_in_its_older_and_newer_words() -> None:
    older = {"PowerControl": [{"PowerLimit": {"LimitInWatts": None}}, {"MemberId": "1"}]}
    assert orders.cap_change(older, 400) == {"PowerControl": [{"PowerLimit": {"LimitInWatts": 400}}, {}]}
    assert orders.cap_change({"PowerControl": [{"PowerConsumedWatts": 90}]}, 400) is None
    newer = {"PowerLimitWatts": {"SetPoint": None}}
    assert orders.cap_change_by_metrics(newer, 400) == {
        "PowerLimitWatts": {"ControlMode": "Automatic", "SetPoint": 400}
    }
    assert orders.cap_change_by_metrics(newer, None) == {"PowerLimitWatts": {"ControlMode": "Disabled"}}
    assert orders.cap_change_by_metrics({}, 400) is None


def test_single_values() -> None:
    assert values.text({"a": "  N/A ", "b": " R720  xd "}, "a", "b") == "R720 xd"
    assert values.number({"a": True, "b": "41.5", "c": 3}, "a", "b", "c") == 41.5
    assert values.number({"a": "nan", "b": "hot"}, "a", "b") is None
    assert values.uuid("38947555774234483784823347823834") == "38947555-7742-3448-3784-823347823834"
    assert values.uuid("FFFFFFFF-FFFF-FFFF-FFFF-FFFFFFFFFFFF") is None
    assert values.moment("1970-01-01T00:00:10Z") is None
    assert values.moment("2026-03-13T04:14:33+06:00") == values.moment("2026-03-12T22:14:33Z")
    assert values.identifier({"@odata.id": "/redfish/v1/Systems/Node 1/"}) == "Node-1"


@pytest.mark.parametrize("state", [None, 7, {}, {"sensors": [["a"]], "states": []}, {"sensors": [], "states": [[1]]}])
def test_what_is_kept_may_be_anything(state: object) -> None:
    assert Kept.from_state(state) is None


@pytest.mark.parametrize(
    ("progress", "power", "word", "starting"),
    [
        ("MemoryInitializationStarted", "On", "Power-on self test running", True),
        ("SystemHardwareInitializationComplete", "On", "Power-on self test nearly done", True),
        ("SetupEntered", "On", "In the setup of the firmware", True),
        ("OSBootStarted", "On", "Operating system starting", False),
        ("OSRunning", "On", "Operating system running", False),
        ("OSRunning", "Off", "Powered off", None),
        ("None", "On", None, None),
        ("OEM", "On", None, None),
        (None, "On", None, None),
    ],
)
def test_how_far_a_machine_has_started(progress, power, word, starting) -> None:
    system = {"PowerState": power, "BootProgress": {"LastState": progress}}
    state = orders.start(system)
    assert (state.key, state.words) == ("post", (word,)) if word else state is None
    assert orders.is_starting(system) is starting
