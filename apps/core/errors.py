"""What services raise when they refuse; pages and the API say it in their own way."""


class Conflict(Exception):
    """What was asked does not go together with what is there; the text is for the reader, in his language."""
