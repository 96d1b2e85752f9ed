"""What a conversation can say and order of the settings of a controller."""

from collections.abc import AsyncIterator, Mapping, Sequence
from datetime import UTC, datetime
from typing import ClassVar

from apps.drivers.contract import Settings, SettingsReport, SettingValue
from apps.drivers.redfish import settings
from apps.drivers.redfish.conversation import RedfishConversation
from apps.drivers.redfish.values import Resource, identifier, link
from apps.protocols.errors import DeviceError, Unsupported
from apps.protocols.redfish import Refused, asks_for_restart

NO_MANAGER = "%(address)s tells of no controller that could be set"
OTHER_VERSION = "%(address)s was changed by somebody else at the same moment"
NO_TEST_ALERT = "%(address)s cannot send a test alert"
NO_RESET = "%(address)s cannot be set back to what it came with"
NO_RESTART = "%(address)s does not offer to start its controller anew"


class RedfishSettings(RedfishConversation, Settings):
    """Reads settings, and changes each resource once."""

    clock_settable: ClassVar[bool] = True
    _settings: settings.Told | None = None

    async def read_settings(self) -> SettingsReport:
        """Read what the controller is set to now."""
        self._settings = await self._read_settings()
        return settings.report(self._settings, self._login)

    async def write_settings(self, changes: Mapping[str, SettingValue]) -> AsyncIterator[Sequence[str]]:
        """Change each resource once, in the version that was read."""
        told = self._settings or await self._read_settings()
        for order in settings.orders(told, changes, self._login, self.target.address):
            yield order.names
            await self._order(self._write(order))

    async def _write(self, order: settings.Order) -> None:
        match order.method:
            case "POST":
                answer = await self._client.post(order.path, order.body)
            case "DELETE":
                await self._client.delete(order.path)
                return
            case _:
                try:
                    answer = await self._client.patch(order.path, order.body, tag=order.tag)
                except Refused as error:
                    if error.status != 412:
                        raise
                    raise DeviceError(OTHER_VERSION, address=self.target.address) from error
        self.wants_restart = self.wants_restart or asks_for_restart(answer.data)

    async def send_test_alert(self, row: str) -> None:
        """Have one sent to everybody who gets its traps."""
        told = self._settings or await self._read_settings()
        target = settings.test_target(told)
        if target is None:
            raise Unsupported(NO_TEST_ALERT, address=self.target.address)
        await self._order(self._client.post(target, {}))

    async def reset_settings(self) -> None:
        """Order the reset to defaults."""
        for manager in await self._managers():
            if (found := settings.reset_target(manager)) is not None:
                await self._order(self._client.post(found[0], dict(ResetType=found[1])))
                return
        raise Unsupported(NO_RESET, address=self.target.address)

    async def restart_controller(self) -> None:
        """Order the manager to start anew."""
        for manager in await self._managers():
            if (found := settings.restart_target(manager)) is not None:
                await self._order(self._client.post(found[0], dict(ResetType=found[1])))
                return
        raise Unsupported(NO_RESTART, address=self.target.address)

    @property
    def _login(self) -> str:
        return str(self.target.credential.get("username") or "")

    async def _read_settings(self) -> settings.Told:
        managers = await self._managers()
        if not managers:
            raise Unsupported(NO_MANAGER, address=self.target.address)
        manager, now = managers[0], datetime.now(UTC)
        ports = await self._members(manager, "EthernetInterfaces")
        services = await self._at(link(manager, "NetworkProtocol"))
        root = await self._at(link(self._client.root, "AccountService"))
        roles = [identifier(role) for role in await self._members(root, "Roles")]
        events = await self._at(link(self._client.root, "EventService"))
        subscriptions = await self._members(events, "Subscriptions")
        by_snmp = [one for one in subscriptions if settings.is_by_snmp(one)]
        own_traps = await self._own_traps(manager, services)
        return settings.Told(
            manager,
            port=next((one for one in ports if one.get("IPv4Addresses")), ports[0] if ports else {}),
            services=services,
            accounts_path=link(root, "Accounts") or "",
            accounts=await self._members(root, "Accounts"),
            roles=roles,
            at=now,
            clock_settable=self.clock_settable,
            destinations=await self._own_destinations(own_traps)
            or settings.Destinations(settings.Subscriptions(), link(events, "Subscriptions") or "", by_snmp),
            receivers=[one for one in subscriptions if one not in by_snmp],
            own_clock=await self._own_clock(manager),
            own_traps=own_traps,
        )

    async def _own_clock(self, manager: Resource) -> Resource:
        """Read the maker's own resource of the clock; the standard has none."""
        return {}

    async def _own_traps(self, manager: Resource, services: Resource) -> Resource:
        """Read the maker's own resource of traps."""
        return {}

    async def _own_destinations(self, own_traps: Resource) -> settings.Destinations | None:
        """Read the maker's own destinations of traps; None: those of the standard are used."""
        return None

    async def _at(self, path: str | None) -> Resource:
        """Read a resource; an empty one where it is not there."""
        try:
            return await self._get(path) if path else {}
        except Unsupported:
            return {}
