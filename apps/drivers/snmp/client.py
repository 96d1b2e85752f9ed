"""The SNMP client of the running event loop, the same for every driver that speaks SNMP, and whom it asks how."""

from typing import Any

from apps.drivers.contract import Stage, Target
from apps.drivers.per_loop import PerLoop
from apps.protocols.errors import Unsupported
from apps.protocols.snmp import SnmpClient, SnmpTarget

snmp_client = PerLoop(SnmpClient)


def snmp_target(target: Target) -> SnmpTarget:
    """Turn a target and its credential into what the SNMP client takes; ``Unsupported`` when they do not fit."""
    login = target.credential
    common: dict[str, Any] = {
        "address": target.address,
        "port": target.port or 161,
        "timeout": target.timeout,
        "retries": target.retries,
    }
    try:
        if target.credential_kind == "snmp-community":
            return SnmpTarget(
                **common, version=str(login.get("version") or "2c"), community=str(login.get("community") or "")
            )
        if target.credential_kind == "snmp-v3":
            return SnmpTarget(
                **common,
                version="3",
                username=str(login.get("username") or ""),
                auth_protocol=str(login.get("auth_protocol") or "none"),
                auth_password=str(login.get("auth_password") or ""),
                priv_protocol=str(login.get("priv_protocol") or "none"),
                priv_password=str(login.get("priv_password") or ""),
                context=str(login.get("context") or ""),
            )
    except ValueError as error:
        raise Unsupported(
            "The credential or the address cannot be used: %(reason)s", stage=Stage.SIGN_IN, reason=error
        ) from error
    raise Unsupported("An SNMP credential is needed", stage=Stage.SIGN_IN)
