"""What a controller says when it does not take something."""


class Refusal(Exception):
    """A change that the controller refuses, with an HTTP status and its words."""

    def __init__(self, status: int, code: str, text: str) -> None:
        super().__init__(text)
        self.status, self.code, self.text = status, code, text
