"""Phrases of a content pack become searches over a reading: the little language that authors write patterns in.

A pattern is words in order. `(a|b c)` is a choice, `[a]` may be absent, `<name>` is a list of `words.toml`, `*` is up to
three other words (`*5`: up to five), `interrupt~` is any word that begins so, `^` and `$` are the ends of a sentence.
Words are opened like speech, so "can't", "cannot" and "can not" are the same.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from voiceguide.language.clauses import Lexicon, Utterance

GAP = 3
_PIECE = re.compile(r"\(|\)|\[|\]|\||\^|\$|\*\d*|<[\w-]+>|[^\s()\[\]|^$*<>]+")


@dataclass(frozen=True, slots=True)
class Rule:
    """One named kind of sign: found where `any` matches and `unless` matches nowhere in the utterance."""

    name: str
    search: re.Pattern[str]
    unless: re.Pattern[str] | None

    def find(self, utterance: Utterance) -> tuple[int, int] | None:
        """The characters of the first match in the original text, or None."""
        found = self.search.search(utterance.line)
        if found is None or (self.unless is not None and self.unless.search(utterance.line)):
            return None
        return utterance.span(found.start(), found.end())


@dataclass(frozen=True, slots=True)
class Rules:
    """All rules of a pack by name ("apology.but"); `match` runs each once."""

    rules: Mapping[str, Rule]

    @property
    def names(self) -> tuple[str, ...]:
        """Sorted, so that a feature's place does not depend on the order in files."""
        return tuple(sorted(self.rules))

    def match(self, utterance: Utterance) -> dict[str, tuple[int, int]]:
        """Name -> span, for the rules that were found."""
        spans = {name: rule.find(utterance) for name, rule in self.rules.items()}
        return {name: span for name, span in spans.items() if span is not None}


def compile_rules(tables: Mapping[str, Mapping[str, object]], lexicon: Lexicon) -> Rules:
    """From file name -> its TOML table of `[kind] any = […] unless = […]`; lists are in `tables["words"]["lists"]`.

    Raises ValueError naming file, kind and pattern for one that cannot be read.
    """
    lists = tables["words"].get("lists", {})
    if not isinstance(lists, dict):
        raise ValueError("words.toml: [lists] is missing")
    compiler = _Compiler(lexicon, lists)
    rules = {}
    for file, table in tables.items():
        if file == "words":
            continue
        for kind, entry in table.items():
            name = f"{file}.{kind}"
            if not isinstance(entry, dict) or not isinstance(entry.get("any"), list):
                raise ValueError(f"{file}.toml: [{kind}] needs a list named any")
            search = compiler.union(entry["any"], name)
            unless = compiler.union(entry["unless"], name) if entry.get("unless") else None
            rules[name] = Rule(name, search, unless)
    return Rules(rules)


class _Compiler:
    """Patterns to regular expressions over `Utterance.line`, in which every word is followed by one space."""

    def __init__(self, lexicon: Lexicon, lists: Mapping[str, Sequence[str]]) -> None:
        self._lexicon = lexicon
        self._lists = lists
        self._compiled: dict[str, str] = {}

    def union(self, patterns: Sequence[str], name: str) -> re.Pattern[str]:
        try:
            body = "|".join(self._sequence(pattern) for pattern in patterns)
            return re.compile(f"(?<= )(?:{body})")
        except (ValueError, re.error) as trouble:
            raise ValueError(f"{name}: {trouble}") from None

    def _sequence(self, pattern: str) -> str:
        return "".join(self._piece(piece, pattern) for piece in _PIECE.findall(pattern))

    def _piece(self, piece: str, pattern: str) -> str:
        fixed = {"(": "(?:", ")": ")", "[": "(?:", "]": ")?", "|": "|", "^": r"(?<=\. )", "$": r"(?=\. )"}
        if piece in fixed:
            return fixed[piece]
        if piece.startswith("*"):
            return rf"(?:[^ .]+ ){{0,{int(piece[1:] or GAP)}}}?"
        if piece.startswith("<"):
            return self._list(piece[1:-1], pattern)
        if piece.endswith("~"):
            return re.escape(piece[:-1].lower()) + r"[^ .]* "
        return re.escape(self._lexicon.normal(piece)) + " "

    def _list(self, name: str, pattern: str) -> str:
        if name not in self._compiled:
            if name not in self._lists:
                raise ValueError(f"no list named {name} (in: {pattern})")
            self._compiled[name] = "(?:" + "|".join(self._sequence(entry) for entry in self._lists[name]) + ")"
        return self._compiled[name]
