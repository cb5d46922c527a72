"""The words of the ledger commands and of the history page, from `content/<language>/ledger.toml`; English where a pack has none.

Law: counts are said and never weighed. Nothing here chooses words by how the counts stand.
"""

from __future__ import annotations

import functools
import importlib.resources
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import date
from typing import Any

from voiceguide.errors import ContentError
from voiceguide.language.contract import read_toml
from voiceguide.language.written import Written

_FILE = "ledger.toml"
_FALLBACK = "en"


@dataclass(frozen=True)
class Telling:
    """Written words of one language. `language` is the one that the words are really in."""

    language: str
    table: Mapping[str, Any] = field(repr=False)
    written: Written = field(default_factory=Written, repr=False)

    @staticmethod
    def load(language: str) -> Telling:
        """The words of `language`, or English ones where it has none. Raises ContentError."""
        return _load(language)

    def text(self, key: str, **slots: object) -> str:
        """A sentence with its slots filled. What was dictated goes in as it is, never as a pattern."""
        return str(self._row("text", key)).format(**slots)

    def count(self, what: str, n: int) -> str:
        """A count in the language's form for the number: "kept 3 times"."""
        forms = self._row("counts", what)
        return str(forms[0] if n == 1 else forms[-1]).format(n=n)

    def counts(self, numbers: Iterable[tuple[str, int]]) -> str:
        """Those that are not zero, joined in the given order; "" for none."""
        return self.text("joint").join(self.count(what, n) for what, n in numbers if n)

    def day(self, day: date, form: str = "day") -> str:
        """A date in words; `form` "short_day" leaves out the year and shortens the month."""
        at = day.month - 1
        return self.text(form, day=day.day, month=self.table["months"][at], short=self.table["short_months"][at], year=day.year)

    def theme(self, theme: str) -> str:
        """What a promise mends, "about reliability"; "" where it is unknown."""
        return str(self.table.get("themes", {}).get(theme, ""))

    def answer(self, kind: str) -> str:
        """How a check-in was answered: "kept"."""
        return str(self._row("answers", kind))

    def kind(self, kind: str) -> str:
        """What sort of thing was kept: "a request"; "" for what is not shown."""
        return str(self.table.get("kinds", {}).get(kind, ""))

    def agrees(self, answer: str) -> bool:
        """Whether a typed answer is a yes."""
        return answer.strip().casefold() in self.table["yes"]

    def _row(self, part: str, key: str) -> Any:
        try:
            return self.table[part][key]
        except KeyError:
            raise ContentError("broken_content", f"content/{self.language}/{_FILE}: {part}.{key} is missing") from None


@functools.lru_cache(maxsize=8)
def _load(language: str) -> Telling:
    there = (importlib.resources.files("voiceguide") / "content" / language / _FILE).is_file()
    chosen = language if there else _FALLBACK
    return Telling(chosen, read_toml(chosen, _FILE), Written.load(chosen))
