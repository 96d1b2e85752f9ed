"""The API's own description, which takes a second to make and is made once for all tests of a process."""

from functools import cache
from typing import Any

from drf_spectacular.generators import SchemaGenerator


@cache
def description() -> dict[str, Any]:
    """Give what everybody may read; whoever changes it takes a copy."""
    return dict(SchemaGenerator().get_schema(request=None, public=True))
