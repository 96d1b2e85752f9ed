"""What a user may be called: a name that reads the same to everybody, and that nobody takes for another.

After the normal form NFKC a name consists of letters, the digits 0 to 9 and ``@ . + - _``. Letters of one script stand
together; Japanese, Chinese and Korean ones also with Latin ones (as "highly restrictive" in UTS #39 §5.2).
"""

import unicodedata

from django.core.exceptions import ValidationError
from django.utils.translation import gettext as _

LONGEST = 150  # characters
LONGEST_KEY = 3 * LONGEST  # one character folds into three at most
SIGNS = "@.+-_"
DIGITS = "0123456789"
UNSEEN = frozenset({"Cc", "Cf", "Cs", "Co", "Cn", "Zl", "Zp"})  # control, format, surrogate, private, unassigned, lines
# What nobody sees though its category does not say so: Unicode's Default_Ignorable_Code_Point, and what directories
# leave out before they compare (RFC 4518 §2.2).
IGNORABLE = (
    *(
        range(0x034F, 0x0350),
        range(0x115F, 0x1161),
        range(0x17B4, 0x17B6),
        range(0x1806, 0x1807),
        range(0x180B, 0x1810),
    ),
    *(
        range(0x2060, 0x2070),
        range(0x3164, 0x3165),
        range(0xFE00, 0xFE10),
        range(0xFFA0, 0xFFA1),
        range(0xFFF0, 0xFFF9),
    ),
    *(range(0xFFFC, 0xFFFD), range(0x1BCA0, 0x1BCA4), range(0x1D173, 0x1D17B), range(0xE0000, 0xE1000)),
)
RIGHT_TO_LEFT = frozenset({"R", "AL", "AN"})
# Unicode's names of letters begin with their script; these stand together in one text.
TOGETHER = frozenset({"LATIN", "CJK", "HIRAGANA", "KATAKANA", "KATAKANA-HIRAGANA", "IDEOGRAPHIC", "HANGUL", "BOPOMOFO"})
# Small letters of other scripts (after folding, so capitals count too) that look like Latin ones: UTS #39, confusables.
TWINS = str.maketrans(
    "авекмнорстухѕіјһԁԛԝѵӏ" + "αβεζηικμνορτυχγϲ" + "օսհոցզ" + "ıɡɑȷ",
    "abekmhopctyxsijhdqwvl" + "abezhikmvoptuxyc" + "ouhngq" + "igaj",
)


def normalised(name: str) -> str:
    """Give the form in which a name is stored and looked up: wide letters become plain ones."""
    return unicodedata.normalize("NFKC", name).strip()


def key(name: str) -> str:
    """Give what a name shares with every other that nobody could tell from it: capitals and look-alikes are one."""
    return unicodedata.normalize("NFKC", normalised(name).casefold()).translate(TWINS)[:LONGEST_KEY]


def is_unseen(letter: str) -> bool:
    """Say whether a character is one that nobody sees.

    >>> [is_unseen(letter) for letter in ("a", "\u200b", "\u034f", "\ufe0f", "\u3164")]
    [False, True, True, True, True]
    """
    return unicodedata.category(letter) in UNSEEN or any(ord(letter) in some for some in IGNORABLE)


def check(name: str) -> None:
    """Refuse what is no name; raises ValidationError with one sentence."""
    if not name:
        raise ValidationError(_("Enter a name."))
    if len(name) > LONGEST:
        raise ValidationError(_("A name has at most %(most)s characters.") % {"most": LONGEST})
    for letter in name:
        _check_letter(letter)
    scripts = {script for letter in name if letter.isalpha() and (script := _script(letter))}
    if len(scripts) > 1 and not scripts <= TOGETHER:
        raise ValidationError(_("Do not mix letters of several scripts: some look the same and are not."))


def _check_letter(letter: str) -> None:
    if is_unseen(letter):
        raise ValidationError(_("The name holds a character that is not seen (U+%(code)04X).") % {"code": ord(letter)})
    if unicodedata.bidirectional(letter) in RIGHT_TO_LEFT:
        raise ValidationError(_("Letters written from right to left would turn around the text beside the name."))
    if letter not in DIGITS and letter not in SIGNS and not unicodedata.category(letter).startswith("L"):
        raise ValidationError(
            _("A name consists of letters, digits and %(signs)s; it holds “%(sign)s”.")
            % {"signs": " ".join(SIGNS), "sign": letter}
        )


def _script(letter: str) -> str:
    return unicodedata.name(letter, "").partition(" ")[0]
