"""Which product sent a trap: the known enterprises, and what the traps of their devices are filed under.

Exact, then the longest known enterprise above; a model says more than what its family has in common. Roots of the
standard MIBs say nothing about who sent a trap: below them the sender itself has to be of the family.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property, lru_cache
from pathlib import Path
from typing import Any

import yaml
from django.conf import settings

from apps.alerts.services.oids import above, enterprise_of

FILE = "trap_enterprises.yaml"


@dataclass(frozen=True, slots=True)
class Product:
    """One known enterprise."""

    enterprise: str
    family: str
    model: str = ""  # empty: what all models of the family have in common
    maker: str = ""
    alert_type: str = ""
    sign: str = ""  # what the names of all models of the family have in common
    standard: bool = False

    @property
    def is_common(self) -> bool:
        """Say whether all models of the family have this enterprise in common."""
        return not self.model and not self.standard

    @property
    def name(self) -> str:
        """Give what people call it."""
        if not self.model:
            return self.family
        return f"{self.maker} {self.model}" if self.maker else f"{self.family} {self.model}"


@dataclass(frozen=True)
class Products:
    """All known enterprises, found by object identifier and by the name of a model."""

    products: tuple[Product, ...]

    @cached_property
    def _by_enterprise(self) -> Mapping[str, Product]:
        return {product.enterprise: product for product in self.products if not product.standard}

    @cached_property
    def _by_model(self) -> Mapping[str, Product]:
        return {word: product for product in self.products if product.model for word in _spellings(product)}

    @cached_property
    def _by_sign(self) -> Mapping[str, Product]:
        return {product.sign.casefold(): product for product in self.products if product.sign and product.is_common}

    @cached_property
    def _standard(self) -> Mapping[str, Product]:
        return {product.enterprise: product for product in self.products if product.standard}

    def of_enterprise(self, enterprise: str) -> Product | None:
        """Give the product of an enterprise or sysObjectID: exact, else the longest known one above it."""
        for oid in above(enterprise):
            if (found := self._by_enterprise.get(oid)) is not None:
                return found
        return None

    def of_model(self, model: str) -> Product | None:
        """Give the product that a device calls itself, such as ``IX2215`` or ``UNIVERGE IX2215``.

        A model that is not listed counts as its family where its name bears the family's sign.
        """
        if not model:
            return None
        word = model.strip().casefold()
        found = self._by_model.get(word)
        return found or next((family for sign, family in self._by_sign.items() if sign in word), None)

    def of_trap(self, trap_oid: str, enterprise: str = "", model: str = "") -> Product | None:
        """Give the product that sent a trap: what its sender says, else what the trap's own name says.

        ``model`` is what the component that has the sender's address is known as.
        """
        by_sender = self.of_enterprise(enterprise) if enterprise else None
        if by_sender is not None and by_sender.model:
            return by_sender
        named = enterprise_of(trap_oid)
        by_name = self.of_enterprise(named) if named != enterprise else by_sender
        if by_name is not None and by_name.model:
            return by_name
        by_model = self.of_model(model)
        if by_model is None:
            return by_sender or by_name
        claims = by_sender or by_name
        return by_model if claims is None or claims.family == by_model.family else claims

    def is_listed(self, trap_oid: str, enterprise: str, product: Product | None) -> bool:
        """Say whether a trap's enterprise is a known one; a standard root counts for devices of its family alone."""
        if self.of_enterprise(enterprise) or self.of_enterprise(enterprise_of(trap_oid)):
            return True
        if product is None:
            return False
        roots = (self._standard.get(oid) for oid in above(trap_oid))
        return any(root is not None and root.family == product.family for root in roots)


def _spellings(product: Product) -> list[str]:
    models = [product.model, *product.model.split("/")]
    return [word.casefold() for model in models for word in (model, f"{product.maker} {model}".strip())]


@lru_cache(maxsize=1)
def known() -> Products:
    """Give the known products; the file comes with the portal and does not change while it runs."""
    return read(settings.FIXTURES_DIR / FILE)


def read(path: Path) -> Products:
    """Read a file of enterprises."""
    content: dict[str, Any] = yaml.safe_load(path.read_text(encoding="utf-8"))
    found: list[Product] = []
    for entry in content["families"]:
        shared = {name: entry.get(name, "") for name in ("family", "maker", "alert_type", "sign")}
        found += [Product(oid, **shared) for oid in entry.get("common", ())]
        found += [Product(oid, standard=True, **shared) for oid in entry.get("standard", ())]
        found += [Product(oid, model=model, **shared) for model, oid in entry.get("models", {}).items()]
    return Products(tuple(found))
