"""What a recogniser writes becomes what was said: lower case, no punctuation, "8:30" as the words of a time.

Number words come from Unicode's spell-out rules for the language (unicode-rbnf, MIT), so no language lives here.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable

_TIME = re.compile(r"\b(\d{1,2})[:.](\d\d)\b(?!\d)")
# "At 830." is how a time is written that was said without "o'clock"; "100" and "830 miles" stay numbers.
_BARE_TIME = re.compile(r"(?<![\d.,:])(1[0-2]|[1-9])(0[1-9]|[1-5]\d)(?=\s*(?:[.?!,;](?!\d)|$|[ap]\.?m\b))")
_GROUPED = re.compile(r"(?<=\d),(?=\d{3}\b)")
_ORDINAL = re.compile(r"\b(\d+)(?:st|nd|rd|th)\b")
_NUMBER = re.compile(r"\d+")
_INITIALS = re.compile(r"\b(?:\w\.){2,}")
_APOSTROPHES = str.maketrans({"\u2019": "'", "\u2018": "'", "\u02bc": "'"})
_NO_WORD = re.compile(r"[^\w' ]|_")
_QUOTE = re.compile(r"(?<!\w)'|'(?!\w)")
_ASIDE = re.compile(r"\([^)]*\)|\[[^\]]*\]|\*[^*]*\*")  # "(laughs)", "[BLANK_AUDIO]": remarks, not words
_MOST_DIGITS = 9  # a longer number is read digit by digit


class SpokenForm:
    """Call it with a text. Cheap after the first number (the rules load once, about 50 ms)."""

    def __init__(self, language: str = "en") -> None:
        self._language = language
        self._rules: tuple[Callable[[int], str], Callable[[int], str]] | None = None

    def __call__(self, text: str) -> str:
        """Words with single spaces; the apostrophes inside them stay."""
        text = _ASIDE.sub(" ", text).lower().translate(_APOSTROPHES)
        text = _INITIALS.sub(lambda initials: initials[0].replace(".", ""), text)
        if any(map(str.isdigit, text)):
            text = _GROUPED.sub("", text)
            text = _TIME.sub(lambda time: self._time(time[1], time[2]), text)
            text = _BARE_TIME.sub(lambda time: self._time(time[1], time[2]), text)
            text = _ORDINAL.sub(lambda number: f" {self._word(number[1], ordinal=True)} ", text)
            text = _NUMBER.sub(lambda number: f" {self._word(number[0])} ", text)
        return " ".join(_QUOTE.sub(" ", _NO_WORD.sub(" ", text)).split())

    def _time(self, hour: str, minute: str) -> str:
        if minute == "00":
            return self._word(hour)
        return f"{self._word(hour)} {self._word('0') + ' ' if minute[0] == '0' else ''}{self._word(str(int(minute)))}"

    def _word(self, digits: str, *, ordinal: bool = False) -> str:
        cardinals, ordinals = self._loaded()
        if len(digits) > _MOST_DIGITS:
            return " ".join(cardinals(int(digit)) for digit in digits)
        return (ordinals if ordinal else cardinals)(int(digits))

    def _loaded(self) -> tuple[Callable[[int], str], Callable[[int], str]]:
        if self._rules is None:
            from unicode_rbnf import FormatPurpose, RbnfEngine

            engine = RbnfEngine.for_language(self._language)
            self._rules = (
                lambda number: engine.format_number(number, FormatPurpose.CARDINAL).text,
                lambda number: engine.format_number(number, FormatPurpose.ORDINAL).text,
            )
        return self._rules
