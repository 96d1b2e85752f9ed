"""Finds the driver folders; nothing outside a folder is edited to add one.

A folder with a ``spec.py`` is a driver; one without is a room that drivers share.
"""

import importlib
import importlib.util
import pkgutil
from functools import cache
from types import MappingProxyType

import apps.drivers
from apps.drivers.contract import Driver, DriverSpec


@cache
def specs() -> MappingProxyType[str, DriverSpec]:
    """Give every driver's spec by name, hidden ones too, in the order of their names."""
    found = {}
    for module in pkgutil.iter_modules(apps.drivers.__path__):
        if module.ispkg and importlib.util.find_spec(f"apps.drivers.{module.name}.spec"):
            spec = importlib.import_module(f"apps.drivers.{module.name}.spec").SPEC
            found[spec.name] = spec
    return MappingProxyType(found)


@cache
def driver_class(name: str) -> type[Driver]:
    """Import the driver of that name; KeyError when there is none."""
    if name not in specs():
        raise KeyError(name)
    driver: type[Driver] = importlib.import_module(f"apps.drivers.{name}.driver").DRIVER
    return driver
