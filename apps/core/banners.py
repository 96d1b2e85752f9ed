"""Lines above every page that say what kind of portal this is; apps register them, the page frame shows them."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from django.http import HttpRequest

from apps.core.registries import Registry


@dataclass(frozen=True, slots=True)
class Banner:
    """A template, and what it finds as ``banner.facts``; the others stand in and below the form of the sign-in page.

    It stands on the pages of errors, too: making it needs neither database nor broker.
    """

    template: str = ""
    facts: Mapping[str, Any] = field(default_factory=dict)
    sign_in: str = ""
    below_sign_in: str = ""


registry: Registry[Callable[[HttpRequest], Banner | None]] = Registry("banner")


def of(request: HttpRequest) -> list[Banner]:
    """Give the banners of a page; one that has nothing to say there is None."""
    return [banner for make in registry if (banner := make(request)) is not None]
