"""Opens a PKCS12 or PEM file in a process of its own, under limits: a program by itself, without Django.

A file decides how often its password is hashed: a hostile one can ask for hours. So nobody else opens files that come
from outside. It reads ``{"password": …, "data": base64}`` and writes ``{"key": PEM, "certificates": [PEM, …]}`` or
``{"refused": word}``.
"""

import base64
import json
import re
import resource
import sys
from typing import Any

from cryptography import x509
from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.serialization import pkcs12

CPU = 5  # seconds; the hashes of honest files take less than one
MEMORY = 1 << 30  # bytes
MOST_CERTIFICATES = 20
KEY = re.compile(rb"-----BEGIN ([A-Z0-9]+ )*PRIVATE KEY-----.*?-----END ([A-Z0-9]+ )*PRIVATE KEY-----", re.DOTALL)
CERTIFICATE = re.compile(rb"-----BEGIN CERTIFICATE-----.*?-----END CERTIFICATE-----", re.DOTALL)


class Refused(Exception):
    """Why the file is not taken, as a word."""


def read(data: bytes, password: bytes | None) -> tuple[Any, list[x509.Certificate]]:
    """Give the key, if there is one, and the certificates."""
    if b"-----BEGIN " in data:
        return _read_pem(data, password)
    try:
        return _read_pkcs12(data, password)
    except (Refused, UnsupportedAlgorithm):
        raise
    except ValueError as error:
        try:
            return None, [x509.load_der_x509_certificate(data)]
        except ValueError:
            raise error from None


def _read_pem(data: bytes, password: bytes | None) -> tuple[Any, list[x509.Certificate]]:
    keys, certificates = [one[0] for one in KEY.finditer(data)], CERTIFICATE.findall(data)
    if len(certificates) > MOST_CERTIFICATES:
        raise Refused("too-many")
    if len(keys) > 1:
        raise Refused("several-keys")
    if not keys and not certificates:
        raise Refused("empty")
    encrypted = bool(keys) and b"ENCRYPTED" in keys[0]
    if encrypted and password is None:
        raise Refused("password-needed")
    try:
        key = serialization.load_pem_private_key(keys[0], password if encrypted else None) if keys else None
    except ValueError as error:
        raise Refused("password" if encrypted else "unreadable") from error
    return key, [x509.load_pem_x509_certificate(one) for one in certificates]


def _read_pkcs12(data: bytes, password: bytes | None) -> tuple[Any, list[x509.Certificate]]:
    try:
        key, own, others = pkcs12.load_key_and_certificates(data, password)
    except ValueError as error:
        if "password" in str(error).lower():
            raise Refused("password" if password is not None else "password-needed") from error
        raise
    certificates = [one for one in (own, *others) if one is not None]
    if len(certificates) > MOST_CERTIFICATES:
        raise Refused("too-many")
    return key, certificates


def main() -> None:
    """Answer one question."""
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))  # a dump would hold the key
    resource.setrlimit(resource.RLIMIT_CPU, (CPU, CPU + 1))
    resource.setrlimit(resource.RLIMIT_AS, (MEMORY, MEMORY))
    asked = json.load(sys.stdin)
    password = asked["password"].encode() if asked["password"] is not None else None
    try:
        key, certificates = read(base64.b64decode(asked["data"]), password)
        answer = {
            "key": _written(key) if key is not None else None,
            "certificates": [one.public_bytes(serialization.Encoding.PEM).decode() for one in certificates],
        }
    except Refused as refused:
        answer = {"refused": str(refused)}
    except (ValueError, TypeError, UnsupportedAlgorithm):
        answer = {"refused": "unreadable"}
    json.dump(answer, sys.stdout)


def _written(key: Any) -> str:
    form = serialization.PrivateFormat.PKCS8
    return str(key.private_bytes(serialization.Encoding.PEM, form, serialization.NoEncryption()).decode())


if __name__ == "__main__":
    main()
