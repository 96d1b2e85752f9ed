"""Reads, sets and resets the options of the portal from the command line."""

import json
from argparse import ArgumentParser
from typing import Any

from django.core.exceptions import ValidationError
from django.core.management.base import BaseCommand, CommandError

from apps.core import options
from apps.core.actors import COMMAND
from apps.core.options import Option


class Command(BaseCommand):
    """``option list``, ``option get NAME``, ``option set NAME VALUE``, ``option reset NAME``."""

    help = "Reads and sets the options of the portal."
    requires_system_checks: list[str] = []

    def add_arguments(self, parser: ArgumentParser) -> None:
        """Describe the verbs."""
        verbs = parser.add_subparsers(dest="verb", required=True)
        verbs.add_parser("list", help="show every option with its value, range and default")
        verbs.add_parser("get", help="show the value of one option").add_argument("name")
        verbs.add_parser("reset", help="set one option back to its default").add_argument("name")
        setting = verbs.add_parser("set", help="set one option")
        setting.add_argument("name")
        setting.add_argument("value")

    def handle(self, *args: Any, verb: str, name: str = "", value: str = "", **about: Any) -> None:
        """Do what was asked."""
        if verb == "list":
            for option in options.all_options():
                self.stdout.write(_line(option))
            return
        try:
            option = options.find(name)
        except KeyError as error:
            raise CommandError(f"There is no option {name!r}; see: manage.py option list") from error
        if verb == "get":
            self.stdout.write(_text(options.get(option.name)))
            return
        try:
            if verb == "reset":
                stored = options.reset(option.name, COMMAND)
            else:
                stored = options.set_value(option.name, value, COMMAND)
        except ValidationError as error:
            raise CommandError(f"{option.name}: {' '.join(error.messages)}") from error
        self.stdout.write(f"{option.name} = {_text(stored)}")
        if warning := option.warning(stored):
            self.stderr.write(f"Warning: {warning}")


def _line(option: Option) -> str:
    facts = [f"{option.name} = {_text(options.get(option.name))}", f"default {_text(option.default)}"]
    if option.minimum is not None or option.maximum is not None:
        also = "".join(f"{number} or " for number in option.also)
        facts.append(f"{also}{option.minimum}–{option.maximum} {option.unit}".rstrip())
    if option.choices:
        facts.append(" | ".join(option.choices))
    if option.read_only:
        facts.append(f"decided by {option.environment}")
    return "; ".join(facts)


def _text(value: Any) -> str:
    return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)
