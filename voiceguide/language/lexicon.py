"""The words of times, read from `content/<language>/times.toml`, and how an utterance becomes a row of tokens.

Every token belongs to one class (`number`, `unit`, `part`, …, or a class that the pack itself names) and has one character
in a string over which the pack's patterns are plain regular expressions. A new language is a new file, not new code.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from voiceguide.errors import ContentError

# Classes that the evaluation knows by name; a pack may add any number of its own under [words].
BUILT_IN = (
    *("number", "few", "unit", "fraction", "day", "weekday", "part", "named", "digits", "decimal"),
    *("unknown", "open", "carrier"),
)
FIRST_LETTER = 0xE000  # the private use area: no recogniser prints these

_DIGITS = re.compile(r"\d+:\d\d(?::\d\d)?|\d+\.\d+|\d+")
_SPLIT = re.compile(r"\d+(?:[:.]\d+)*|[^\d\s]+")


@dataclass(frozen=True, slots=True)
class Token:
    """One lexical unit. `value`: number, seconds of a unit, share of a fraction, days ahead, …; `at`: span of source words."""

    kind: str
    text: str
    value: float = 0.0
    part: tuple[float, float] = (0.0, 24.0)
    day: int | None = None
    at: tuple[int, int] = (0, 0)


@dataclass(frozen=True, slots=True)
class Lexicon:
    """Phrase -> token, and class -> letter. `longest`: words (or letters, without spaces) of the longest phrase; `spoken`: every
    word that can stand in a time, numbers in the parts they are made of."""

    entries: Mapping[str, Token]
    letters: Mapping[str, str]
    noise: frozenset[str]
    longest: int
    spaces: bool = True
    spoken: frozenset[str] = frozenset()

    def tokens(self, text: str) -> list[Token]:
        """Tokens of a normalised text; `Token.at` counts the words of `text.split()`."""
        if self.spaces:
            return self._by_words(text)
        return self._by_letters(text)

    def _by_words(self, text: str) -> list[Token]:
        pieces: list[tuple[str, int]] = []
        for index, word in enumerate(text.split()):
            split = _SPLIT.findall(word) if word[0].isdigit() else [word]  # "8pm", "2h30m"; but "a4" is no time
            pieces.extend((piece, index) for piece in split if piece not in self.noise)
        out: list[Token] = []
        position = 0
        while position < len(pieces):
            token, used = self._longest(pieces, position)
            out.append(token)
            position += used
        return out

    def _longest(self, pieces: list[tuple[str, int]], position: int) -> tuple[Token, int]:
        for size in range(min(self.longest, len(pieces) - position), 0, -1):
            chosen = pieces[position : position + size]
            entry = self.entries.get(" ".join(piece for piece, _ in chosen))
            if entry is not None:
                return _placed(entry, chosen[0][1], chosen[-1][1] + 1), size
        piece, index = pieces[position]
        return _digits_or_unknown(piece, index), 1

    def _by_letters(self, text: str) -> list[Token]:
        # Spacing is unreliable here, so it is ignored; the index of the source word is kept beside every letter.
        letters = [(letter, index) for index, word in enumerate(text.split()) for letter in word]
        joined = "".join(letter for letter, _ in letters)
        out: list[Token] = []
        position = 0
        while position < len(joined):
            digits = _DIGITS.match(joined, position)
            size = len(digits.group()) if digits else 1
            token = _digits_or_unknown(joined[position : position + size], letters[position][1])
            for length in range(min(self.longest, len(joined) - position), 0, -1):
                entry = None if digits else self.entries.get(joined[position : position + length])
                if entry is not None:
                    token, size = _placed(entry, letters[position][1], letters[position + length - 1][1] + 1), length
                    break
            if token.kind == "unknown" and out and out[-1].kind == "unknown":
                out.pop()
            out.append(token)
            position += size
        return [token for token in out if token.text not in self.noise]

    def encode(self, tokens: list[Token]) -> str:
        """One letter a token."""
        return "".join(self.letters[token.kind] for token in tokens)

    def words(self) -> frozenset[str]:
        """Every word that can stand in a time: for the vocabulary of a closed recogniser."""
        return self.spoken


def _placed(entry: Token, begin: int, end: int) -> Token:
    return Token(entry.kind, entry.text, entry.value, entry.part, entry.day, (begin, end))


def _digits_or_unknown(piece: str, index: int) -> Token:
    at = (index, index + 1)
    if not piece or not piece[0].isdigit() or not piece.isascii():
        return Token("unknown", piece, at=at)
    if ":" in piece:
        return Token("digits", piece, at=at)
    if "." in piece:
        return Token("decimal", piece, at=at)
    return Token("number", piece, float(piece[:9]), at=at)


def load_lexicon(times: Mapping[str, Any], where: str, spaces: bool = True) -> Lexicon:
    """Build from the tables of a times.toml. Raises ContentError naming the file and the key."""
    entries: dict[str, Token] = {}
    try:
        _put(entries, "number", number_words(times.get("numbers", [])))
        _put(entries, "number", times.get("hours24", {}))
        _put(entries, "few", times.get("few", {}))
        for kind, key in (("unit", "units"), ("fraction", "fractions"), ("day", "days"), ("weekday", "weekdays")):
            _put(entries, kind, times.get(key, {}))
        _put(entries, "named", times.get("named", {}))
        for phrase, spec in times.get("parts", {}).items():
            begin, end = spec["hours"]
            entries[phrase] = Token("part", phrase, 0.0, (float(begin), float(end)), spec.get("day"))
        for kind, phrases in times.get("words", {}).items():
            _put(entries, kind, dict.fromkeys(phrases, 0.0))
        _put(entries, "open", dict.fromkeys(times.get("open", []), 0.0))
        _put(entries, "carrier", dict.fromkeys(times.get("carriers", []), 0.0), keep=True)
    except (KeyError, TypeError, ValueError, AttributeError) as problem:
        raise ContentError("broken_pack", f"{where}: the tables of times cannot be read ({problem})") from None
    made = frozenset(number_words(times.get("numbers", [])))
    spoken = _words(phrase for phrase in entries if phrase not in made) | _words(_number_parts(times.get("numbers", [])))
    if not spaces:
        entries = {phrase.replace(" ", ""): token for phrase, token in entries.items()}
    kinds = list(BUILT_IN) + sorted({token.kind for token in entries.values()} - set(BUILT_IN))
    letters = {kind: chr(FIRST_LETTER + number) for number, kind in enumerate(kinds)}
    longest = max((len(phrase.split()) if spaces else len(phrase) for phrase in entries), default=1)
    return Lexicon(entries, letters, frozenset(times.get("noise", [])), longest, spaces, spoken)


def _words(phrases: Iterable[str]) -> frozenset[str]:
    return frozenset(word for phrase in phrases for word in phrase.split() if not word[0].isdigit())


def _number_parts(systems: Sequence[Mapping[str, Any]]) -> Iterator[str]:
    for system in systems:
        for key in ("units", "others", "tens", "hundred", "hundred_leads", "hundred_joins"):
            yield from system.get(key, ())


def _put(entries: dict[str, Token], kind: str, table: Mapping[str, float], keep: bool = False) -> None:
    for phrase, value in table.items():
        if not (keep and phrase in entries):
            entries[phrase] = Token(kind, phrase, float(value))


def number_words(systems: list[Mapping[str, Any]]) -> dict[str, float]:
    """All number words: each system gives `units` (1-9), `others` (0, 10-19), `tens`, how they `join`, and perhaps `hundred`."""
    table: dict[str, float] = {}
    for system in systems:
        units: Mapping[str, int] = system.get("units", {})
        small: dict[str, float] = {**units, **system.get("others", {})}
        join = system.get("join", " ")
        for ten, value in system.get("tens", {}).items():
            small[ten] = value
            small.update({f"{ten}{join}{unit}": value + more for unit, more in units.items()})
        table.update(small)
        for hundred in system.get("hundred", []):
            for lead, count in {**units, **dict.fromkeys(system.get("hundred_leads", []), 1)}.items():
                base = f"{lead}{join}{hundred}".strip()
                table[base] = count * 100
                for between in system.get("hundred_joins", [join]):
                    table.update({f"{base}{between}{rest}": count * 100 + n for rest, n in small.items() if n})
    return table
