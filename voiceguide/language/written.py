"""What somebody dictated, as people write it: a recogniser writes "i will call on monday".

Only letters change, never words, and only where `[written]` of pack.toml is sure: a name is not told from a word ("will").
"""

from __future__ import annotations

import functools
import re
from collections.abc import Mapping
from dataclasses import dataclass, field

from voiceguide.errors import ContentError
from voiceguide.language.contract import read_toml

_WORD = re.compile(r"[^\W\d_]+(?:['\u2019][^\W\d_]+)*")
_ENDS = ".!? "


@dataclass(frozen=True)
class Written:
    """How one language writes. `words`: small letters -> as it is written."""

    words: Mapping[str, str] = field(default_factory=dict)

    @staticmethod
    def load(language: str) -> Written:
        """From pack.toml; a language without `[written]` changes nothing. Raises ContentError."""
        return _load(language)

    def __call__(self, text: str, *, sentence: bool = False) -> str:
        """`text` with its capitals, and without the full stop that a recogniser may add: what stands around it has its own.
        `sentence`: it stands by itself, so its first letter is a capital."""
        found = _WORD.sub(lambda word: self._word(word.group()), text.rstrip(_ENDS) or text)
        return found[:1].upper() + found[1:] if sentence else found

    def _word(self, word: str) -> str:
        capital = self.words.get(word.replace("\u2019", "'"), word)
        return capital if "\u2019" not in word else capital.replace("'", "\u2019")


@functools.lru_cache(maxsize=8)
def _load(language: str) -> Written:
    table = read_toml(language, "pack.toml").get("written", {})
    if not isinstance(table, dict) or not all(isinstance(one, str) and one.casefold() == word for word, one in table.items()):
        hint = 'Write for example: monday = "Monday"'
        raise ContentError("broken_pack", f"content/{language}/pack.toml: written may change capitals only", hint=hint)
    return Written(table)
