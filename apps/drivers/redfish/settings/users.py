"""The accounts of a controller (DSP2046, ManagerAccount)."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from apps.drivers.contract import NEW, Carries, Choice, Setting, SettingKind, SettingValue
from apps.drivers.redfish.settings.told import Order, Told, taken, version
from apps.drivers.redfish.values import Resource, identifier, link, text

_USUAL_ROLES: Sequence[str] = ("Administrator", "Operator", "ReadOnly")


def settings(told: Told, login: str) -> Iterator[Setting]:
    roles = tuple(dict.fromkeys([*(told.roles or _USUAL_ROLES), *_roles_in_use(told.accounts)]))
    choices = tuple(Choice(role, role) for role in roles)
    for account in told.accounts:
        row, name = identifier(account), text(account, "UserName")
        own = name == login
        if name is None:
            continue
        yield from _one_user(row, name, account, choices, own)
    if told.accounts_path:
        yield from _one_user(NEW, "", dict(Enabled=True, RoleId=roles[-1]), choices, own=False)


def _roles_in_use(found: Sequence[Resource]) -> list[str]:
    return [role for account in found if (role := text(account, "RoleId")) is not None]


def _one_user(row: str, name: str, account: Resource, roles: tuple[Choice, ...], own: bool) -> Iterator[Setting]:
    def carries(what: Carries) -> Carries:
        return what if own else Carries.NOTHING

    yield Setting(
        f"users.{row}.name", "Name", SettingKind.TEXT, name, longest=64, row=row, carries=carries(Carries.LOGIN)
    )
    if isinstance(account.get("Enabled"), bool):
        yield Setting(
            f"users.{row}.enabled",
            "May sign in",
            SettingKind.SWITCH,
            account["Enabled"],
            row=row,
            carries=carries(Carries.RIGHTS),
        )
    role = text(account, "RoleId")
    if role is not None:
        yield Setting(
            f"users.{row}.privilege",
            "Privilege",
            SettingKind.CHOICE,
            role,
            roles,
            row=row,
            carries=carries(Carries.RIGHTS),
        )
    yield Setting(
        f"users.{row}.password",
        "Password",
        SettingKind.SECRET,
        longest=128,
        row=row,
        carries=carries(Carries.PASSWORD),
    )


_USER_KEYS: Mapping[str, str] = {
    "name": "UserName",
    "enabled": "Enabled",
    "privilege": "RoleId",
    "password": "Password",
}


def orders(told: Told, left: dict[str, SettingValue], login: str, *, own: bool) -> Iterator[Order]:
    for account in told.accounts:
        row = identifier(account)
        if (text(account, "UserName") == login) is own:
            names, body = _account_change(row, left)
            if names:
                yield Order(names, "PATCH", str(link(account)), body, version(account))
    if not own:
        names, body = _account_change(NEW, left)
        if names and body.get("UserName"):
            yield Order(names, "POST", told.accounts_path, dict(Enabled=True, RoleId=_USUAL_ROLES[-1]) | body)


def _account_change(row: str, left: dict[str, SettingValue]) -> tuple[list[str], dict[str, Any]]:
    given = taken(left, f"users.{row}.")
    return [f"users.{row}.{word}" for word in given], {_USER_KEYS[word]: value for word, value in given.items()}
