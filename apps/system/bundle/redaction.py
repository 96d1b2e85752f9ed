"""Takes secrets out of texts: those that this portal knows, wherever they stand, and what looks like one."""

import base64
import html
import json
import re
from collections.abc import Iterable, Iterator
from urllib.parse import quote, quote_plus

REMOVED = "[removed]"
ANYWHERE = 8  # letters from which on a secret is found inside of words too; a shorter one may be half of a word
LINE = 16  # letters from which on a line of a secret of several lines is a secret of its own

_PATTERNS: tuple[tuple[re.Pattern[str], str], ...] = tuple(
    (re.compile(pattern, re.IGNORECASE), replacement)
    for pattern, replacement in (
        (r"-----BEGIN [A-Z0-9 ]*PRIVATE KEY-----.*?(-----END [A-Z0-9 ]*PRIVATE KEY-----|\Z)", REMOVED),
        (r"(\b[a-z][a-z0-9+.-]*://)[^/@\s\"'<>]*@", rf"\1{REMOVED}@"),
        (r"\b((?:proxy-)?authorization\s*[\"']?\s*[:=]\s*[\"']?)(?:\w+\s+)?[^\s\"',;]+", rf"\1{REMOVED}"),
        (r"\b((?:bearer|basic|digest)\s+)[a-z0-9._~+/=-]{8,}", rf"\1{REMOVED}"),
        (r"\b((?:set-)?cookie\s*[\"']?\s*[:=]\s*)[^\r\n]+", rf"\1{REMOVED}"),
        (
            r"\b([\w-]*(?:password|passwd|passphrase|pwd|secret|token|community|api[_-]?key|private[_-]?key"
            r"|session[_-]?key|sessionid|esm_session\w*|esm_csrf\w*)[\w-]*[\"']?\s*[:=]\s*)(\"[^\"]*\"|'[^']*'|[^\s,;&)}\]]+)",
            rf"\1{REMOVED}",
        ),
        (r"\b(?:pbkdf2|argon2|bcrypt|scrypt)\w*\$\S+", REMOVED),
        (r"\bgAAAA[\w-]{20,}={0,2}", REMOVED),
    )
)
# Session keys, tokens, digests: long, and of letters with digits, or of large and small letters.
_RANDOM = re.compile(r"(?<![\w-])(?:(?=[\w-]*\d)(?=[\w-]*[A-Za-z])|(?=[\w-]*[a-z])(?=[\w-]*[A-Z]))[\w-]{32,}(?![\w-])")


class Redactor:
    """Knows the secrets of one portal; ``clean`` gives a text without them."""

    def __init__(self, secrets: Iterable[str]) -> None:
        forms = {form for secret in secrets for part in _parts(secret) for form in _forms(part)}
        self._forms = sorted(forms, key=len, reverse=True)  # or what is left of a longer one would tell the rest

    def clean(self, text: str) -> str:
        """Take the known secrets out."""
        for form in self._forms:
            if form not in text:
                continue
            if len(form) >= ANYWHERE:
                text = text.replace(form, REMOVED)
            else:
                text = re.sub(rf"(?<!\w){re.escape(form)}(?!\w)", lambda _: REMOVED, text)
        return text

    def clean_prose(self, text: str) -> str:
        """Take the known ones and everything that looks like one out: for what programs and devices said."""
        text = self.clean(text)
        for pattern, replacement in _PATTERNS:
            text = pattern.sub(replacement, text)
        return _RANDOM.sub(REMOVED, text)


def _parts(secret: str) -> Iterator[str]:
    """Give a secret, and the lines of one that has several, since logs are written by lines."""
    stripped = secret.strip()
    if stripped:
        yield stripped
    if "\n" in stripped:
        yield from (line.strip() for line in stripped.splitlines() if len(line.strip()) >= LINE)


def _forms(secret: str) -> Iterator[str]:
    """Give the ways in which texts spell it."""
    yield secret
    yield quote(secret, safe="")
    yield quote_plus(secret)
    yield html.escape(secret)
    yield repr(secret)[1:-1]
    yield json.dumps(secret)[1:-1]
    yield json.dumps(secret, ensure_ascii=False)[1:-1]
    if len(secret) >= ANYWHERE:
        yield base64.b64encode(secret.encode("utf-8", "surrogatepass")).decode().rstrip("=")
        yield secret.encode("utf-8", "surrogatepass").hex()
