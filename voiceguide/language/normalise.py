"""One way of writing: what any recogniser or keyboard produces becomes lower-case words with single spaces.

Pure and data-driven: the tables come from `content/<language>/pack.toml`. Never raises, whatever it is fed.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

MAX_CHARACTERS = 40_000  # 5 000 words are still read; what is longer is no utterance
_APOSTROPHES = str.maketrans({"’": "'", "‘": "'", "ʼ": "'", "`": "'", "´": "'", "′": "'"})
_OTHER = re.compile(r"((?<=\d)[:.](?=\d)|(?<=\w)'(?=\w))|[^\w]|_")


@dataclass(frozen=True, slots=True)
class Spelling:
    """How a language is written. `replace`: phrase -> canonical phrase; `hesitations`: sounds that mean nothing.

    `spaces` is False where spacing is unreliable (Korean): matching then ignores it. `keep_repeats`: words that may be doubled.
    """

    replace: Mapping[str, str] = field(default_factory=dict)
    hesitations: frozenset[str] = frozenset()
    keep_repeats: frozenset[str] = frozenset()
    fragments: bool = True
    spaces: bool = True


class Normaliser:
    """Turns raw text into canonical words. Built once per pack; holds no state between calls."""

    def __init__(self, spelling: Spelling, known: frozenset[str] = frozenset()) -> None:
        """`known`: words that are never taken for the beginning of the word after them ("no" before "now")."""
        self.spelling = spelling
        self._known = known
        phrases = sorted(map(re.escape, spelling.replace), key=len, reverse=True)
        self._phrases = re.compile(rf"(?<![\w'])(?:{'|'.join(phrases)})(?![\w'])")
        self._longest = max((len(phrase.split()) for phrase in spelling.replace), default=1)

    def plain(self, text: str) -> str:
        """Lower case, no punctuation, canonical spellings; every word is kept. For templates and labels."""
        return " ".join(self._canonical(self._split(text)))

    def __call__(self, text: str) -> str:
        """As `plain`, and without hesitations, repeated words and false starts (domain 7.3: people who stammer)."""
        words = [word for word in self._canonical(self._split(text)) if word not in self.spelling.hesitations]
        return " ".join(self._without_repeats(self._canonical(self._without_repeats(words))))

    def template(self, text: str) -> str:
        """A sentence template with its phrases in canonical spelling: "(i am|we are) here" becomes "(i'm|we're) here"."""
        return self._phrases.sub(lambda found: self.spelling.replace[found.group()], text) if self.spelling.replace else text

    def _split(self, text: str) -> list[str]:
        text = unicodedata.normalize("NFKC", text[:MAX_CHARACTERS]).translate(_APOSTROPHES).lower()
        text = text.replace("a.m", "am").replace("p.m", "pm")
        # Anything that is no letter, digit or inner apostrophe becomes a space: "twenty-five" is two words.
        return _OTHER.sub(lambda found: found.group(1) or " ", text).split()

    def _canonical(self, words: Sequence[str]) -> list[str]:
        out: list[str] = []
        position = 0
        while position < len(words):
            for size in range(min(self._longest, len(words) - position), 0, -1):
                found = self.spelling.replace.get(" ".join(words[position : position + size]))
                if found is not None:
                    out.extend(found.split())
                    position += size
                    break
            else:
                out.append(words[position])
                position += 1
        return out

    def _without_repeats(self, words: Sequence[str]) -> list[str]:
        out: list[str] = []
        for number, word in enumerate(words):
            following = words[number + 1] if number + 1 < len(words) else ""
            if following and self._is_repeat(word, following):
                continue
            out.append(word)
        return _without_repeated_pairs(out) if len(out) > 3 else out

    def _is_repeat(self, word: str, following: str) -> bool:
        if word == following:
            return not word[0].isdigit() and word not in self.spelling.keep_repeats
        # A false start as recognisers print it: "st stop", "p p pause".
        return (
            self.spelling.fragments
            and len(word) <= 3
            and len(word) < len(following)
            and word not in self._known
            and word.isalpha()
            and following.startswith(word)
        )


def _without_repeated_pairs(words: list[str]) -> list[str]:
    """"i need i need a break" -> "i need a break": restarts of two or three words."""
    out: list[str] = []
    position = 0
    while position < len(words):
        for size in (3, 2):
            piece = words[position : position + size]
            if len(piece) == size and piece == words[position + size : position + 2 * size]:
                position += size
                break
        else:
            out.append(words[position])
            position += 1
    return out
