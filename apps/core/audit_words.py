"""How the audit reads: acts and what they changed, in the reader's language. What has no words is shown as it is."""

from collections.abc import Iterator, Mapping
from typing import Any

from django.apps import apps
from django.utils.functional import Promise
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, pgettext

from apps.core.audit import CHANGED
from apps.core.phrases import called, in_words
from apps.core.registries import Registry

ACTS: dict[str, Promise | str] = {
    "component.register": gettext_lazy("Component registered"),
    "component.change": gettext_lazy("Settings of a component changed"),
    "component.join": gettext_lazy("Joined with another registration of the same machine"),
    "component.split": gettext_lazy("Way of managing taken out into a component of its own"),
    "component.remove": gettext_lazy("Component removed"),
    "component.certificate": gettext_lazy("New certificate of a device accepted"),
    "component.exclude_ports": gettext_lazy("Ports excluded from the status"),
    "sensor.limits": gettext_lazy("Limits of a sensor set"),
    "incident.acknowledge": gettext_lazy("Problem acknowledged"),
    "incident.close": gettext_lazy("Problem closed"),
    "incident.reopen": gettext_lazy("Problem opened again when its time was up"),
    "alert.export": gettext_lazy("Alerts exported"),
    "alert.forget": gettext_lazy("Old alerts removed"),
    "alert.reapply": gettext_lazy("Alert definition applied to earlier alerts"),
    "alert.reinterpret": gettext_lazy("Alert read anew"),
    "alert-definition.create": gettext_lazy("Alert definition made"),
    "alert-definition.change": gettext_lazy("Alert definition changed"),
    "alert-definition.remove": gettext_lazy("Alert definition removed"),
    "alert-definition.import": gettext_lazy("Alert definitions imported"),
    "suspend-period.create": gettext_lazy("Suspend period planned"),
    "suspend-period.change": gettext_lazy("Suspend period changed"),
    "suspend-period.remove": gettext_lazy("Suspend period removed"),
    "suspend-period.end": gettext_lazy("Suspension ended early"),
    "suspend-period.leave-out": gettext_lazy("One occurrence of a suspend period left out"),
    "suspend-period.take-back": gettext_lazy("An occurrence of a suspend period taken back in"),
    "credential.create": gettext_lazy("Credential added"),
    "credential.change": gettext_lazy("Credential changed"),
    "credential.remove": gettext_lazy("Credential removed"),
    "secrets.rotate": gettext_lazy("Stored secrets encrypted anew"),
    "group.create": gettext_lazy("Group made"),
    "group.change": gettext_lazy("Group changed"),
    "group.remove": gettext_lazy("Group removed"),
    "user.create": gettext_lazy("User added"),
    "user.change": gettext_lazy("User changed"),
    "user.remove": gettext_lazy("User removed"),
    "user.password": gettext_lazy("Password changed"),
    "role.create": gettext_lazy("Role made"),
    "role.change": gettext_lazy("Role changed"),
    "role.remove": gettext_lazy("Role removed"),
    "grant.create": gettext_lazy("Role granted"),
    "grant.remove": gettext_lazy("Role taken back"),
    "token.create": gettext_lazy("API token made"),
    "token.remove": gettext_lazy("API token removed"),
    "token.use": gettext_lazy("Use of an API token"),
    "sign_in.restrict": gettext_lazy("Addresses of sign-in changed"),
    "address.allow": gettext_lazy("Address allowed to connect"),
    "address.describe": gettext_lazy("Note of an address changed"),
    "address.disallow": gettext_lazy("Address no longer allowed to connect"),
    "address.connect": gettext_lazy("Connection from an address"),
    "session.sign_in": gettext_lazy("Sign-in"),
    "session.sign_out": gettext_lazy("Sign-out"),
    "session.idle": gettext_lazy("Signed out without activity"),
    "session.old": gettext_lazy("Signed out when the session had lasted long enough"),
    "access.ask": gettext_lazy("Request"),
    "access.host": gettext_lazy("Request under a foreign name"),
    "team.create": gettext_lazy("Team made"),
    "team.change": gettext_lazy("Team changed"),
    "team.members": gettext_lazy("Members of a team changed"),
    "team.remove": gettext_lazy("Team removed"),
    "lockout.begin": gettext_lazy("Locked out after refused sign-ins"),
    "lockout.release": gettext_lazy("Lock-out released"),
    "second_factor.on": gettext_lazy("Second factor set up"),
    "second_factor.off": gettext_lazy("Second factor removed"),
    "second_factor.reset": gettext_lazy("Second factor taken from a user"),
    "second_factor.codes": gettext_lazy("Recovery codes made anew"),
    "role.second_factor": gettext_lazy("Second factor demanded of a role"),
    "session.end": gettext_lazy("Session ended"),
    "session.end_all": gettext_lazy("All sessions of a user ended"),
    "user.bar": gettext_lazy("User barred by a directory"),
    "directory.create": gettext_lazy("Directory added"),
    "directory.change": gettext_lazy("Directory changed"),
    "directory.remove": gettext_lazy("Directory removed"),
    "directory.place": gettext_lazy("Order of directories changed"),
    "directory.test": gettext_lazy("Directory tested"),
    "directory.refuse": gettext_lazy("Sign-in by a directory"),
    "directory-group.add": gettext_lazy("Directory group added"),
    "directory-group.remove": gettext_lazy("Directory group removed"),
    "option.set": gettext_lazy("Option set"),
    "option.reset": gettext_lazy("Option set back to its default"),
    "option.read": gettext_lazy("Secret option read"),
    "job.cancel": gettext_lazy("Job cancelled"),
    "job.check": gettext_lazy("Connections checked"),
    "job.refresh": gettext_lazy("Components refreshed"),
    "job.limits": gettext_lazy("Limits of many sensors set"),
    "job.support-bundle": gettext_lazy("Support bundle ordered"),
    "job.reapply-definition": gettext_lazy("Alert definition applied to earlier alerts"),
    "support-bundle.download": gettext_lazy("Support bundle downloaded"),
    "support-bundle.write": gettext_lazy("Support bundle written"),
    "status-change.forget": gettext_lazy("Old status changes removed"),
    "audit.export": gettext_lazy("Audit log exported"),
    "audit.forget": gettext_lazy("Old audit entries removed"),
    "audit.accept": gettext_lazy("End of the audit's chain accepted"),
}
FAMILIES: dict[str, Promise | str] = {  # the part of an act before its dot, in the order of the menu
    "session": gettext_lazy("Sign-in and sign-out"),
    "sign_in": gettext_lazy("Where sign-in is allowed from"),
    "access": gettext_lazy("Refused requests"),
    "user": gettext_lazy("Users"),
    "role": gettext_lazy("Roles"),
    "grant": gettext_lazy("Grants"),
    "team": gettext_lazy("Teams"),
    "lockout": gettext_lazy("Lock-outs"),
    "second_factor": gettext_lazy("Second factor"),
    "directory": gettext_lazy("Directories"),
    "directory-group": gettext_lazy("Directory groups"),
    "certificate": gettext_lazy("Certificates"),
    "token": gettext_lazy("API tokens"),
    "address": gettext_lazy("Addresses"),
    "group": gettext_lazy("Groups"),
    "component": gettext_lazy("Components"),
    "sensor": gettext_lazy("Sensors"),
    "credential": gettext_lazy("Credentials"),
    "secrets": gettext_lazy("Stored secrets"),
    "suspend-period": gettext_lazy("Suspend periods"),
    "incident": gettext_lazy("Problems"),
    "alert": gettext_lazy("Alerts"),
    "alert-definition": gettext_lazy("Alert definitions"),
    "status-change": gettext_lazy("Status changes"),
    "job": gettext_lazy("Jobs"),
    "option": gettext_lazy("Options"),
    "support-bundle": gettext_lazy("Support bundles"),
    "audit": gettext_lazy("Audit log"),
}
ICONS = {  # of a family
    "session": "login-2",
    "sign_in": "login-2",
    "access": "ban",
    "user": "user",
    "role": "shield-lock",
    "grant": "users",
    "team": "users",
    "lockout": "lock",
    "second_factor": "shield-lock",
    "directory": "sitemap",
    "directory-group": "users",
    "certificate": "shield-check",
    "token": "key",
    "address": "network",
    "group": "folder",
    "component": "server",
    "sensor": "gauge",
    "credential": "key",
    "secrets": "lock",
    "suspend-period": "player-pause",
    "remote-batch": "clock",
    "incident": "alert-triangle",
    "alert": "bell",
    "alert-definition": "list-search",
    "status-change": "activity",
    "job": "progress",
    "option": "adjustments",
    "support-bundle": "package",
    "audit": "history",
}
FIELDS: dict[str, Promise | str] = {
    "name": gettext_lazy("Name"),
    "alias": gettext_lazy("Alias"),
    "category": gettext_lazy("Type"),
    "group": gettext_lazy("Group"),
    "parent": gettext_lazy("Stands in"),
    "slot": gettext_lazy("Slot"),
    "uuid": gettext_lazy("Hardware UUID"),
    "serial_number": gettext_lazy("Serial number"),
    "manufacturer": gettext_lazy("Manufacturer"),
    "model": gettext_lazy("Model"),
    "operating_system": gettext_lazy("Operating system"),
    "location": gettext_lazy("Location"),
    "alert_addresses": gettext_lazy("Further alert addresses"),
    "unmanaged": gettext_lazy("Not managed"),
    "interfaces": gettext_lazy("Ways of managing"),
    "joined": gettext_lazy("Joined with"),
    "lower_critical": gettext_lazy("Critical down from"),
    "lower_warning": gettext_lazy("Warning down from"),
    "upper_warning": gettext_lazy("Warning from"),
    "upper_critical": gettext_lazy("Critical from"),
    "state": gettext_lazy("State"),
    "note": gettext_lazy("Note"),
    "until": gettext_lazy("Until"),
    "value": gettext_lazy("Value"),
    "username": gettext_lazy("User name"),
    "user": gettext_lazy("User"),
    "email": gettext_lazy("E-mail address"),
    "first_name": gettext_lazy("First name"),
    "last_name": gettext_lazy("Last name"),
    "is_active": gettext_lazy("May sign in"),
    "must_change_password": gettext_lazy("Must change the password"),
    "must_change": gettext_lazy("Must change the password"),
    "password": gettext_lazy("Password"),
    "role": gettext_lazy("Role"),
    "permissions": gettext_lazy("Permissions"),
    "grants": gettext_lazy("Granted roles"),
    "tokens": gettext_lazy("API tokens"),
    "teams": gettext_lazy("Teams"),
    "networks": gettext_lazy("Only from"),
    "network": gettext_lazy("Network"),
    "expires_at": gettext_lazy("Expires"),
    "read_only": gettext_lazy("Read only"),
    "kind": gettext_lazy("Kind"),
    "community": gettext_lazy("Community"),
    "version": gettext_lazy("Version"),
    "driver": gettext_lazy("Way of managing"),
    "address": gettext_lazy("Address"),
    "port": gettext_lazy("Port"),
    "ports": gettext_lazy("Ports"),
    "credential": gettext_lazy("Credential"),
    "parameters": gettext_lazy("Parameters"),
    "enabled": gettext_lazy("Enabled"),
    "description": gettext_lazy("Description"),
    "component": gettext_lazy("Component"),
    "targets": gettext_lazy("Targets"),
    "total": gettext_lazy("Total"),
    "format": gettext_lazy("Format"),
    "filter": gettext_lazy("Filter"),
    "severity": gettext_lazy("Severity"),
    "title": gettext_lazy("Title"),
    "detail": gettext_lazy("Detail"),
    "remedy": gettext_lazy("What to do"),
    "definition": gettext_lazy("Definition"),
    "alert_type": gettext_lazy("Type"),
    "trap_oid": gettext_lazy("Trap OID"),
    "key": gettext_lazy("Key"),
    "keys": gettext_lazy("Keys"),
    "alerts": gettext_lazy("Alerts"),
    "incidents": gettext_lazy("Problems"),
    "before": gettext_lazy("Before"),
    "entries": gettext_lazy("Entries"),
    "sequence": gettext_lazy("Number in the chain"),
    "digest": gettext_lazy("Digest"),
    "more": gettext_lazy("Further ones, only counted"),
    "from": gettext_lazy("From"),
    "status": gettext_lazy("Answer"),
    "time_zone": gettext_lazy("Time zone"),
    "start": gettext_lazy("Begins"),
    "repeat": gettext_lazy("Repeats"),
    "exceptions": gettext_lazy("Left out"),
    "values": gettext_lazy("Values"),
    "signing_key": gettext_lazy("Signing key"),
    "rows": gettext_lazy("Rows"),
}
# What upper apps add for acts, families and fields of their own, by the word that the audit has.
acts: Registry[Promise | str] = Registry("words of an act")
families: Registry[Promise | str] = Registry("words of a family of acts")
fields: Registry[Promise | str] = Registry("words of an audited field")
values: Registry[Mapping[str, Promise | str]] = Registry("words of the values of an audited field")

EMPTY: tuple[Any, ...] = (None, "", [], {})
LONGEST = 200


def act(word: str) -> str:
    """Name an act."""
    return str(acts.get(word) if word in acts else ACTS.get(word, word))


def act_words() -> dict[str, Promise | str]:
    """Give all acts that have words."""
    return {**ACTS, **dict(acts.items())}


def acts_called(word: str) -> list[str]:
    """Give the acts whose name has a word in the reader's language."""
    sought = word.casefold()
    return [name for name, label in act_words().items() if sought in str(label).casefold()]


def family_words() -> dict[str, Promise | str]:
    """Give all families of acts that have words, in their order."""
    return {**FAMILIES, **dict(families.items())}


def family(word: str) -> str:
    """Name a family of acts."""
    return str(family_words().get(word, word))


def icon_of(word: str) -> str:
    """Give the icon of a family of acts."""
    return ICONS.get(word, "edit")


def kind_of_object(label: str) -> str:
    """Name the kind of an object, as classic mode does; one that is gone is shown as it was."""
    try:
        return str(apps.get_model(label)._meta.verbose_name)
    except (LookupError, ValueError):
        return label


def field_word(name: str) -> str:
    """Name a field; what has no word of its own may be a label of ours, or several with colons between."""
    if name in fields or name in FIELDS:
        return str(fields.get(name) if name in fields else FIELDS[name])
    return ": ".join(_label(part) for part in name.split(": "))


def _label(part: str) -> str:
    """Translate a label of ours: of one of several alike, such as "User 3", the words around its number."""
    word, _space, number = part.rpartition(" ")
    pattern = f"{word} %(row)s"
    translated = _(pattern) if word else pattern
    return translated % {"row": number} if translated != pattern else called(part)


def value_word(name: str, value: Any) -> Any:
    """Name a value of a field whose values are words for programs."""
    known = values.get(name) if name in values else {}
    return str(known[value]) if isinstance(value, str) and value in known else value


def changes(before: Mapping[str, Any] | None, after: Mapping[str, Any] | None) -> Iterator[tuple[str, str, str]]:
    """Give what an act changed as label, value before and value after; what is long or nested is only named."""
    old, new = before or {}, after or {}
    for name in dict.fromkeys([*old, *new]):
        was, now = old.get(name), new.get(name)
        if was == now or (was in EMPTY and now in EMPTY):
            continue
        yield field_word(name), _value(value_word(name, was)), _value(value_word(name, now))


def plain(value: Any) -> str:
    """Write a value that is neither a list nor nested, whole."""
    if value in EMPTY:
        return "–"
    if value is True:
        return _("Yes")
    if value is False:
        return _("No")
    if value == CHANGED:
        return pgettext("audit", "changed")
    return f"{value:g}" if isinstance(value, float) else in_words(str(value))


def _value(value: Any) -> str:
    if value not in EMPTY and isinstance(value, list) and all(isinstance(one, str) for one in value):
        return ", ".join(value)
    if value not in EMPTY and isinstance(value, list | dict):
        return pgettext("audit", "changed")
    text = plain(value)
    return text if len(text) <= LONGEST else f"{text[: LONGEST - 1]}…"
