"""The step of a demonstration's start that registers the fleet, makes its history and tells its story."""

import os
import time
from dataclasses import replace

from django.conf import settings

from apps.simulators.fleet.control import Remote
from apps.simulators.fleet.plan import read
from apps.system import specs as portal
from apps.system.demo import ground, history, registration, specs, story
from apps.system.demo.api import Api, Refused
from apps.system.demo.banner import folder, tell_progress

ANSWERS_WITHIN = 60.0  # seconds in which the portal's API comes up
HOURS = 72.0  # of history


def stage() -> None:
    """Do all of it; what was done at an earlier start is not done again."""
    say(f"Sign in as “{ground.NAME}” with the password “{ground.PASSWORD}”.")
    state, port = ground.current(), int(os.environ["ESM_FLEET_PORT"])
    state.keep(settings.DATA_DIR)
    plan = read(specs.PLAN, ground.first_address(state.block))
    with Remote(specs.CONTROL) as remote:
        # What happens before its device is registered would be nobody's: the fleet waits, and tells of it as history.
        remote.set_clock(time.time())
        try:
            api = signed_in()
        except Refused:
            say("The sign-in was changed: what is registered stays as it is.")
            remote.set_clock(None)
            return
        if state.staged:
            registration.follow(api, plan, port)
            make_history(remote)
        else:
            say(f"Registering {len(plan.devices)} simulated devices …")
            ids = registration.register(api, plan, port)
            make_history(remote)
            story.tell(api, plan, ids)
            replace(state, staged=True).keep(settings.DATA_DIR)
        remote.set_clock(None)
    api.sign_out()
    say(f"The demonstration is live. Ctrl-C ends it; to forget it, remove {folder()}.")


def signed_in() -> Api:
    """Wait until the portal's API answers, and sign in; raises ``Refused``."""
    api = Api(portal.browser_url(settings.HTTP_PORT))
    give_up_at = time.monotonic() + ANSWERS_WITHIN
    while True:
        try:
            api.sign_in(ground.NAME, ground.PASSWORD)
        except OSError:
            if time.monotonic() > give_up_at:
                raise
            time.sleep(0.2)
        else:
            return api


def make_history(remote: Remote) -> None:
    """Watch the fleet in the past; pages say how far that has come."""
    told = -1

    def tell(share: float) -> None:
        nonlocal told
        percent = int(share * 100)
        if percent // 5 > told // 5:
            tell_progress(percent)
        if percent // 25 > told // 25:
            say(f"Making the history of the last days: {percent} %")
        told = percent

    hours = float(os.environ.get("ESM_DEMO_HOURS") or HOURS)
    try:
        history.make(remote, hours, time.time(), tell)
    finally:
        tell_progress(None)


def say(text: str) -> None:
    """Print one line."""
    print(text, flush=True)
