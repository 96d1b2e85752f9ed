"""Walks over every address that the portal answers, on both ports, and fills its places from the world."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from django.contrib import admin
from django.db.models import Model
from django.urls import URLPattern, URLResolver, get_resolver

from apps.portal.context_processors import classic_port
from tests.contract.world import World, rows_of

NOBODYS = 999_999_999  # the id of a row that there is not
NAMES = {"option": "auto_logout", "settings": "auto_logout", "process": "web"}
MAIN, CLASSIC = "esm.urls", "esm.classic_urls"


@dataclass(frozen=True)
class Address:
    """One pattern: how its route is named, how it is written, and on which port it stands."""

    name: str
    route: str
    surface: str  # page, api or classic
    methods: tuple[str, ...]  # that a resource of the API has; of a page nobody knows

    def path(self, world: World) -> str:
        """Give the address of a row of the half that most askers see."""
        filled = self.route
        for place, value in values(self, world).items():
            for kind in ("int", "str", "slug", "path"):
                filled = filled.replace(f"<{kind}:{place}>", str(value))
        assert "<" not in filled, f"{self.name}: say in tests/contract/addresses.py what fills {filled}"
        return f"/{filled}{queries(world).get(self.name, '')}"

    @property
    def port(self) -> str:
        """Give the port on which it stands; the port chooses between pages and classic mode."""
        return str(classic_port()) if self.surface == "classic" else "80"


def queries(world: World) -> Mapping[str, str]:
    """Give what must stand behind an address so that it is about something."""
    about = f"?incident={world.amber.incident.pk}"
    sensor = f"?sensor={world.amber.sensor.pk}"
    return {
        "alerts:acknowledge": about,
        "alerts:close": about,
        "control:order": f"?order=lamp.on&ids={world.amber.component.pk}",
        "monitoring:component-chart": sensor,
        "monitoring:component-chart-file": sensor,
        "monitoring:fleet-chart": "?quantity=cpu",
        "monitoring:fleet-chart-file": "?quantity=cpu",
    }


def values(address: Address, world: World) -> Mapping[str, Any]:
    """Give what fills the places of an address."""
    port = world.amber.interface
    known: dict[str, Any] = {
        "sensor_pk": world.amber.sensor.pk,
        "entry_pk": world.amber.entry.pk,
        "interface": port.pk,
        "console": world.amber.console.pk,
        "index": 1,
        "quantity": "storage",
        "user_pk": world.users["viewer"].pk,
        "name": next((name for start, name in NAMES.items() if address.name.startswith(start)), "snmp_agent"),
        "content_type_id": 1,
    }
    if address.surface == "classic":
        row = next((row for label, row in classic_rows(world) if address.name.startswith(f"admin:{label}_")), None)
        return {**known, "object_id": "auto_logout" if "optionvalue" in address.name else row.pk if row else 1}
    row = next((row for start, row in rows_of(world, world.amber) if address.name.startswith(start)), None)
    return {**known, "pk": row.pk if row is not None else NOBODYS}


def classic_rows(world: World) -> Iterator[tuple[str, Model]]:
    """Give a row of each model that classic mode shows: of the first half, where it belongs to one."""
    rows = [
        *(row for _start, row in rows_of(world, world.amber)),
        world.amber.liveness,
        world.amber.sensor,
        world.amber.limit,
        world.amber.entry,
        world.amber.change,
    ]
    for model in admin.site._registry:
        found = next((row for row in rows if type(row) is model), None) or model._default_manager.order_by("pk").first()
        if found is not None:
            yield f"{model._meta.app_label}_{model._meta.model_name}", found


def every_address() -> list[Address]:
    """Give all of them once; Django's own ways in by a number of a content type are the admin's."""
    found = [Address(*about, surface="classic", methods=()) for about in _patterns(get_resolver(CLASSIC))]
    found = [one for one in found if one.name.startswith("admin:") and not one.name.endswith(":None")]
    for name, route, methods in _walk(get_resolver(MAIN)):
        found.append(Address(name, route, "api" if route.startswith("api/") else "page", methods))
    return found


def _patterns(resolver: URLResolver) -> Iterator[tuple[str, str]]:
    for name, route, _methods in _walk(resolver):
        if "(?P" not in route:
            yield name, route


def _walk(resolver: URLResolver, namespace: str = "", before: str = "") -> Iterator[tuple[str, str, tuple[str, ...]]]:
    for one in resolver.url_patterns:
        route = before + str(one.pattern)
        if isinstance(one, URLResolver):
            yield from _walk(one, f"{namespace}{one.namespace}:" if one.namespace else namespace, route)
        elif isinstance(one, URLPattern):
            actions = getattr(one.callback, "actions", None) or {}
            yield f"{namespace}{one.name}", route, tuple(method.upper() for method in actions)
