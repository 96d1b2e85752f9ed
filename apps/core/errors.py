"""What services raise when they refuse; pages and the API say it in their own way."""


class Conflict(Exception):
    """What was asked does not go together with what is there; the text is for the reader, in his language.

    ``component_id`` is the component that stands in the way, given only where the reader may see it; ``field`` is what
    it shares with what was asked, and ``position`` tells which one of several that is.
    """

    def __init__(
        self, sentence: str, *, component_id: int | None = None, field: str = "", position: int | None = None
    ) -> None:
        super().__init__(sentence)
        self.component_id = component_id
        self.field = field
        self.position = position
