"""Posting Redfish events to the receiver of a test, as a controller does."""

import json
import re
import ssl
import subprocess
from typing import Any

from apps.alerts.models import EventSubscription
from apps.alerts.subscriptions.paths import hash_of, new_path
from tests.alerts.process import Receiver, wait_for

CONTEXT = "esm-of-a-test"


def subscription(interface: Any, **fields: Any) -> tuple[EventSubscription, str]:
    """Make a subscription that is in force; gives it with its path."""
    path = new_path()
    given = {"state": "active", "context": CONTEXT, "token_hash": hash_of(path), **fields}
    return EventSubscription.objects.create(interface=interface, **given), path


def event(number: int = 1, **fields: Any) -> dict[str, Any]:
    """One record as iLO sends it."""
    return {
        "EventId": f"e{number}",
        "EventTimestamp": "2026-11-20T10:00:00Z",
        "EventType": "Alert",
        "MemberId": "0",
        "Message": "Fan Failure (Fan 2)",
        "MessageArgs": ["2"],
        "MessageId": "iLOEvents.2.3.FanFailed",
        "Severity": "Critical",
        "OriginOfCondition": {"@odata.id": "/redfish/v1/Chassis/1/Thermal#/Fans/1"},
        **fields,
    }


def message(*records: dict[str, Any], **fields: Any) -> dict[str, Any]:
    """A message with these records."""
    return {
        "@odata.type": "#Event.v1_2_1.Event",
        "Name": "Events",
        "Context": CONTEXT,
        "Events": list(records),
        **fields,
    }


def event_port(receiver: Receiver) -> int:
    """Give the port of events of a receiver, once it listens."""
    pattern = re.compile(r"receiving Redfish events on \S+:(\d+)")
    return int(wait_for(lambda: pattern.search(receiver.log.read_text()))[1])


def curl(port: int, path: str, body: Any, *more: str) -> int:
    """Post by curl, which we did not write; gives the HTTP status."""
    text = body if isinstance(body, str) else json.dumps(body)
    command = ["curl", "-sk", "-o", "/dev/null", "-w", "%{http_code}", "--max-time", "30", "--data-binary", "@-"]
    url = f"https://127.0.0.1:{port}{path}"
    done = subprocess.run([*command, *more, url], input=text, capture_output=True, text=True, timeout=60)
    return int(done.stdout or 0)


def anybody() -> ssl.SSLContext:
    """Trust whatever certificate is shown."""
    context = ssl.create_default_context()
    context.check_hostname = False
    context.verify_mode = ssl.CERT_NONE
    return context
