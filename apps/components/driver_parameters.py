"""The drivers that are offered, and the parameters of an interface checked against its driver's spec."""

from collections.abc import Mapping
from typing import Any

from django.conf import settings
from django.core.exceptions import ValidationError
from django.utils.translation import gettext as _

from apps.core import options
from apps.drivers import registry
from apps.drivers.contract import DriverSpec, Parameter

LONGEST_TEXT = 500


def offered() -> dict[str, DriverSpec]:
    """Give the drivers that may be registered with, by name; hidden ones only where the settings say so."""
    hidden_too = settings.HIDDEN_DRIVERS_OFFERED
    return {name: spec for name, spec in registry.specs().items() if hidden_too or not spec.hidden}


def clean(spec: DriverSpec, given: object) -> dict[str, Any]:
    """Check the parameters of an interface; raises ValidationError. A null stands for the default and is not kept."""
    if not isinstance(given, Mapping):
        raise ValidationError(_("Enter the parameters as an object."))
    known = {parameter.name: parameter for parameter in spec.parameters}
    wrong, cleaned = [], {}
    for name, value in given.items():
        parameter = known.get(name)
        if parameter is None:
            wrong.append(_("%(driver)s has no parameter %(name)s.") % {"driver": spec.label, "name": repr(name)[:60]})
        elif value is not None:
            problem = _problem(parameter, value)
            if problem:
                wrong.append(f"{name}: {problem}")
            cleaned[parameter.name] = value
    if wrong:
        raise ValidationError(wrong)
    return cleaned


def effective(spec: DriverSpec, own: Mapping[str, Any]) -> dict[str, Any]:
    """Give what counts: what the interface says, else the portal's option for it, else the default of the driver."""
    usual = {one.name: options.get(one.option) if one.option else one.default for one in spec.parameters}
    return {**usual, **own}


def _problem(parameter: Parameter, value: object) -> str:
    if parameter.type is bool:
        return "" if isinstance(value, bool) else _("Enter true or false.")
    if parameter.type is int:
        return _number_problem(parameter, value)
    if not isinstance(value, str):
        return _("Enter a text.")
    if parameter.choices and value not in parameter.choices:
        return _("Choose one of: %(choices)s.") % {"choices": ", ".join(parameter.choices)}
    if len(value) > LONGEST_TEXT:
        return _("Enter at most %(count)s characters.") % {"count": LONGEST_TEXT}
    if "\0" in value or any("\ud800" <= letter <= "\udfff" for letter in value):
        return _("Null characters and halves of characters are not allowed.")
    return ""


def _number_problem(parameter: Parameter, value: object) -> str:
    if not isinstance(value, int) or isinstance(value, bool):
        return _("Enter a whole number.")
    low, high = parameter.minimum, parameter.maximum
    if (low is not None and value < low) or (high is not None and value > high):
        if high is None:
            return _("Enter a number from %(low)s.") % {"low": low}
        if low is None:
            return _("Enter a number up to %(high)s.") % {"high": high}
        return _("Enter a number from %(low)s to %(high)s.") % {"low": low, "high": high}
    return ""
