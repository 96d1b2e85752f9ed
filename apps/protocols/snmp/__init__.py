"""SNMP v1, v2c and v3: a lean client of our own, and the notifications that agents send.

``SnmpClient`` reads agents, ``SnmpTarget`` says which and how; the module ``notification`` opens traps. What the
own codec does not do (privacy with DES, 3DES, AES-192 and AES-256) goes through pysnmp behind the same methods.
"""

from apps.protocols.snmp.ber import Absent, ErrorStatus, Malformed, Oid, PduKind, Tag, Value, Varbind
from apps.protocols.snmp.client import SnmpClient, Table
from apps.protocols.snmp.target import SnmpTarget

__all__ = [
    "Absent",
    "ErrorStatus",
    "Malformed",
    "Oid",
    "PduKind",
    "SnmpClient",
    "SnmpTarget",
    "Table",
    "Tag",
    "Value",
    "Varbind",
]
