"""Settings of the controller itself: its port, its services, its accounts."""

from collections.abc import AsyncIterator, Mapping, Sequence

from apps.drivers.contract import Settings, SettingsReport, SettingValue
from apps.drivers.redfish import settings
from apps.drivers.redfish.conversation import RedfishConversation
from apps.drivers.redfish.values import Resource, identifier, link
from apps.protocols.errors import DeviceError, Unsupported
from apps.protocols.redfish import Refused

NO_MANAGER = "%(address)s tells of no controller that could be set"
OTHER_VERSION = "%(address)s was changed by somebody else at the same moment"
NO_RESET = "%(address)s cannot be set back to what it came with"


class RedfishSettings(RedfishConversation, Settings):
    """What a conversation can set."""

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
            if order.method == "POST":
                await self._order(self._client.post(order.path, order.body))
            else:
                await self._order(self._patch(order))

    async def _patch(self, order: settings.Order) -> None:
        try:
            await self._client.patch(order.path, order.body, tag=order.tag)
        except Refused as error:
            if error.status != 412:
                raise
            raise DeviceError(OTHER_VERSION, address=self.target.address) from error

    async def reset_settings(self) -> None:
        """Order the reset to defaults."""
        for manager in await self._managers():
            if (found := settings.reset_target(manager)) is not None:
                await self._order(self._client.post(found[0], dict(ResetType=found[1])))
                return
        raise Unsupported(NO_RESET, address=self.target.address)

    @property
    def _login(self) -> str:
        return str(self.target.credential.get("username") or "")

    async def _read_settings(self) -> settings.Told:
        managers = await self._managers()
        if not managers:
            raise Unsupported(NO_MANAGER, address=self.target.address)
        manager = managers[0]
        ports = await self._members(manager, "EthernetInterfaces")
        services = await self._at(link(manager, "NetworkProtocol"))
        root = await self._at(link(self._client.root, "AccountService"))
        roles = [identifier(role) for role in await self._members(root, "Roles")]
        return settings.Told(
            manager,
            port=next((one for one in ports if one.get("IPv4Addresses")), ports[0] if ports else {}),
            services=services,
            accounts_path=link(root, "Accounts") or "",
            accounts=await self._members(root, "Accounts"),
            roles=roles,
        )

    async def _at(self, path: str | None) -> Resource:
        """Read a resource; an empty one where it is not there."""
        try:
            return await self._get(path) if path else {}
        except Unsupported:
            return {}
