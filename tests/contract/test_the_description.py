"""The API against its own description, with values made by chance: no server error, and answers are as described.

The same values each time. What is permitted is taken back after each request.
"""

import warnings
from copy import deepcopy
from typing import Any

import pytest
import requests
import schemathesis
from django.db import connection, transaction
from django.test import Client
from hypothesis import HealthCheck, Phase, given, settings
from schemathesis import GenerationMode
from schemathesis.checks import not_a_server_error
from schemathesis.core.failures import FailureGroup
from schemathesis.core.transport import Response
from schemathesis.specs.openapi.checks import content_type_conformance, response_schema_conformance

from apps.access.services import tokens
from apps.core.actors import SYSTEM
from tests.contract import world as worlds
from tests.contract.asking import forget
from tests.description import description

pytestmark = pytest.mark.django_db
CHECKS = [not_a_server_error, response_schema_conformance, content_type_conformance]
BOTH = (GenerationMode.POSITIVE, GenerationMode.NEGATIVE)
ASKED = {"administrator": (2, BOTH), "operator": (1, BOTH[:1]), "viewer": (1, BOTH[:1])}  # examples, of which kinds


def send(case: Any, secret: str) -> Response:
    """Send a case to the portal in this process."""
    kwargs = case.as_transport_kwargs(base_url="http://testserver", headers={"Authorization": f"Bearer {secret}"})
    asked = {name: kwargs.get(name) for name in ("method", "url", "headers", "params", "json", "data")}
    prepared = requests.Request(**asked).prepare()
    body = prepared.body if isinstance(prepared.body, bytes) else (prepared.body or "").encode()
    headers = {
        name: value for name, value in prepared.headers.items() if name not in {"Content-Type", "Content-Length"}
    }
    kind = prepared.headers.get("Content-Type", "")
    with transaction.atomic():
        answer = Client().generic(str(prepared.method), prepared.path_url, body, kind, headers=headers)
        content = b"".join(answer) if answer.streaming else answer.content
        transaction.set_rollback(True)
    forget()
    told = {name.lower(): [value] for name, value in answer.headers.items()}
    return Response(answer.status_code, told, content, prepared, elapsed=0.0, verify=False)


# On PostgreSQL, which refuses other values than SQLite, whoever may do everything is enough.
@pytest.mark.parametrize(
    "asker", ["administrator", *(pytest.param(one, marks=pytest.mark.one_database) for one in ("operator", "viewer"))]
)
def test_answers_are_as_described(asker: str) -> None:
    examples, kinds = ASKED[asker] if connection.vendor == "sqlite" else (1, BOTH)
    worlds.forget_the_past()
    world = worlds.build()
    secret = tokens.create(world.users[asker], "chance", SYSTEM).secret
    schema = schemathesis.openapi.from_dict(deepcopy(description()))
    wrong: list[str] = []
    for operation in (found.ok() for found in schema.get_all_operations()):
        for mode in kinds:
            wrong += _ask(operation, mode, examples, secret)
    assert not wrong, "\n" + "\n".join(wrong)


def _ask(operation: Any, mode: GenerationMode, examples: int, secret: str) -> list[str]:
    wrong: list[str] = []

    @settings(
        max_examples=examples,
        derandomize=True,
        database=None,
        deadline=None,
        phases=[Phase.generate],
        suppress_health_check=list(HealthCheck),
    )
    @given(case=operation.as_strategy(generation_mode=mode))
    def ask(case: Any) -> None:
        try:
            case.validate_response(send(case, secret), checks=CHECKS)
        except FailureGroup as error:
            said = "; ".join(str(one).replace("\n", " ") for one in error.exceptions)
            wrong.append(f"{operation.method.upper()} {operation.path}: {said[:700]}")

    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        ask()
    return wrong[:1]
