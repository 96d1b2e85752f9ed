"""The API against its own description, with values made by chance: no server error, and answers are as described.

The same values each time. What is permitted is taken back after each request.
"""

import warnings
from collections.abc import Callable, Iterable
from typing import Any

import pytest
import schemathesis
from django.db import transaction
from drf_spectacular.generators import SchemaGenerator
from hypothesis import HealthCheck, Phase, given, settings
from schemathesis import GenerationMode
from schemathesis.checks import not_a_server_error
from schemathesis.core.failures import FailureGroup
from schemathesis.specs.openapi.checks import content_type_conformance, response_schema_conformance

from apps.access.services import tokens
from apps.core.actors import SYSTEM
from esm.wsgi import application
from tests.contract import world as worlds
from tests.contract.asking import forget

pytestmark = pytest.mark.django_db
CHECKS = [not_a_server_error, response_schema_conformance, content_type_conformance]
EXAMPLES = {"administrator": 3, "operator": 1, "viewer": 1}


def from_here(environ: dict[str, Any], start: Callable[..., Any]) -> Iterable[bytes]:
    """Answer as to a program on the machine itself."""
    return application({**environ, "REMOTE_ADDR": "127.0.0.1"}, start)


@pytest.mark.parametrize("asker", list(EXAMPLES))
def test_answers_are_as_described(asker: str) -> None:
    worlds.forget_the_past()
    world = worlds.build()
    secret = tokens.create(world.users[asker], "chance", SYSTEM).secret
    schema = schemathesis.openapi.from_dict(SchemaGenerator().get_schema(request=None, public=True))
    wrong: list[str] = []
    for operation in (found.ok() for found in schema.get_all_operations()):
        for mode in (GenerationMode.POSITIVE, GenerationMode.NEGATIVE):
            wrong += _ask(operation, mode, EXAMPLES[asker], {"Authorization": f"Bearer {secret}"})
    assert not wrong, "\n" + "\n".join(wrong)


def _ask(operation: Any, mode: GenerationMode, examples: int, headers: dict[str, str]) -> list[str]:
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
        with transaction.atomic():
            response = case.call(headers=headers, app=from_here)
            transaction.set_rollback(True)
        forget()
        try:
            case.validate_response(response, checks=CHECKS)
        except FailureGroup as error:
            said = "; ".join(str(one).replace("\n", " ") for one in error.exceptions)
            wrong.append(f"{operation.method.upper()} {operation.path}: {said[:700]}")

    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        ask()
    return wrong[:1]
