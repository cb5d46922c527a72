"""The name in "my name is Ben": what is said around it is content, what is left is the name, as it was written.

A name is at most a few words; where more is left, it was no answer to "what shall I call you?" and is asked again.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

MOST_WORDS = 4
_LONGEST = 200  # characters that are looked at
_GAP = r"[\s,.;:!?]"
_APOSTROPHES = str.maketrans({"\u2019": "'", "\u2018": "'", "`": "'"})


@dataclass(frozen=True)
class OwnName:
    """Finds the span of a name. `whole`: an answer with the name in its group of that name."""

    whole: re.Pattern[str]

    @staticmethod
    def of(table: Mapping[str, Any], *, spaces: bool) -> OwnName:
        """From `[own_name]` of pack.toml: `before` and `after` are what people say around their name, `ends` the words with
        which something else begins. `spaces`: whether the language parts its words."""
        gap = f"{_GAP}+" if spaces else f"{_GAP}*"
        before, after, ends = (_any_of(table.get(key, ()), spaces=spaces) for key in ("before", "after", "ends"))
        lead = rf"(?:{before}{gap})*" if before else ""
        rest = rf"(?:{gap}{ends}(?!\w).*?)?" if ends else ""
        tail = rf"(?:{gap}{after})*" if after else ""
        return OwnName(re.compile(rf"\W*{lead}(?P<name>\w.*?){rest}{tail}\W*", re.IGNORECASE))

    def find(self, text: str) -> tuple[int, int] | None:
        """(begin, end) of the name's characters in `text`; None where there is no name that could be one."""
        found = self.whole.fullmatch(text[:_LONGEST].translate(_APOSTROPHES)) if len(text) <= _LONGEST else None
        if found is None or len(found["name"].split()) > MOST_WORDS:
            return None
        return found.span("name")


def _any_of(phrases: Iterable[str], *, spaces: bool) -> str:
    """Longer ones first; where spaces do not count, they may stand anywhere or nowhere."""
    gap = r"\s+" if spaces else r"\s*"
    ordered = sorted(phrases, key=len, reverse=True)
    return f"(?:{'|'.join(gap.join(map(re.escape, phrase.split())) for phrase in ordered)})" if ordered else ""
