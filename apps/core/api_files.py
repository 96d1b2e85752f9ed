"""What addresses of the API have in common that send a file."""

from typing import Any

from rest_framework.negotiation import BaseContentNegotiation
from rest_framework.request import Request


class AnyFile(BaseContentNegotiation):
    """Sends a file, whatever kind the caller says that he takes."""

    def select_parser(self, request: Request, parsers: Any) -> Any:
        """Take the first."""
        return parsers[0]

    def select_renderer(self, request: Request, renderers: Any, format_suffix: str | None = None) -> Any:
        """Take the first, for what is refused."""
        return renderers[0], renderers[0].media_type
