"""An utterance is read once: words, stammers folded, contractions opened, and clauses with subject, modal and verb.

Every detector works on this reading, so that "I-I-I can't", "i can not" and "I can't" are one and the same, and each
word still knows which characters of the original it came from. All word lists come from `detectors/words.toml`.
"""

from __future__ import annotations

import itertools
import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field

# Longer talk is cut: an endpointed turn has at most about 400 words (120 s at 200 words a minute).
MOST_WORDS = 600
LONGEST_REPEAT = 4
STOP = "."
_WORD = re.compile(r"[^\W_](?:[\w*'’]*[\w*])?|[.?!;…]+|[^\W\d_]", re.UNICODE)
_ENDERS = frozenset(".?!;…")


@dataclass(frozen=True, slots=True)
class Token:
    """A normalised word, the characters `start` to `end` of the original, and how it was written there ("" if opened)."""

    word: str = field(repr=False)
    start: int
    end: int
    written: str = field(default="", repr=False)


@dataclass(frozen=True, slots=True)
class Utterance:
    """`tokens` begin and end with a STOP; `line` is their words joined by single spaces; `offsets[i]` is where i begins."""

    tokens: tuple[Token, ...] = field(repr=False)
    line: str = field(repr=False)
    offsets: tuple[int, ...] = field(repr=False)

    @property
    def words(self) -> tuple[str, ...]:
        """The words without sentence stops."""
        return tuple(token.word for token in self.tokens if token.word != STOP)

    @property
    def spoken(self) -> str:
        """What was said without fillers, stammer and punctuation, contractions as they were: what the encoder reads."""
        return " ".join(token.written for token in self.tokens if token.written)

    def part(self, begin: int, end: int) -> Utterance:
        """The utterance of the tokens from `begin` up to `end`; spans still count characters of the whole text."""
        inside = self.tokens[begin:end]
        if not inside:
            return _utterance([])
        return _utterance([Token(STOP, inside[0].start, inside[0].start), *inside, Token(STOP, inside[-1].end, inside[-1].end)])

    def span(self, begin: int, end: int) -> tuple[int, int]:
        """Characters of the original text under `line[begin:end]`."""
        inside = [t for t, at in zip(self.tokens, self.offsets, strict=False)
                  if begin <= at < end and t.word != STOP]
        return (inside[0].start, inside[-1].end) if inside else (0, 0)


@dataclass(frozen=True, slots=True)
class Clause:
    """`opener`: the conjunction it begins with; `subject`: i, you, we, it, they, other or "" (an order, a fragment)."""

    opener: str
    subject: str
    modal: str
    negated: bool
    verb: str = field(repr=False)
    begin: int  # index of its first token
    end: int  # index after its last token


@dataclass(frozen=True, slots=True)
class Lexicon:
    """The word lists of one language: how words are opened, which are fillers, and the named `lists` for patterns."""

    contractions: Mapping[str, tuple[str, ...]]
    endings: Mapping[str, tuple[str, ...]]
    is_hosts: frozenset[str]
    fillers: frozenset[str]
    letters: frozenset[str]
    openers: frozenset[str]
    linkers: frozenset[str]
    subjects: Mapping[str, str]
    determiners: frozenset[str]
    modals: frozenset[str]
    auxiliaries: frozenset[str]
    negations: frozenset[str]
    adverbs: frozenset[str]

    @classmethod
    def parse(cls, table: Mapping[str, object]) -> Lexicon:
        """From the tables of `words.toml`. Raises ValueError naming the key that is missing or of the wrong kind."""
        return cls(
            contractions={word: tuple(str(full).split()) for word, full in _pairs(table, "contractions")},
            endings={ending: tuple(str(full).split()) for ending, full in _pairs(table, "endings")},
            subjects={word: str(person) for word, person in _pairs(table, "subjects")},
            **{key: frozenset(_words(table, key)) for key in (
                "is_hosts", "fillers", "letters", "openers", "linkers", "determiners", "modals", "auxiliaries",
                "negations", "adverbs")},
        )

    def read(self, text: str) -> Utterance:
        """The reading of a text of any length or kind; an empty or wordless one has no words."""
        found = [match for match, _ in zip(_WORD.finditer(text), range(MOST_WORDS), strict=False)]
        tokens = [token for match in found for token in self._open(match.group().lower(), match.start(), match.end())]
        folded = fold(_unstutter([t for t in tokens if t.word not in self.fillers], self.letters))
        stop = Token(STOP, len(text), len(text))
        return _utterance([Token(STOP, 0, 0), *folded, stop])

    def normal(self, pattern: str) -> str:
        """One word of a pattern opened in the same way as spoken words ("can't" -> "can not")."""
        return " ".join(token.word for token in self._open(pattern.lower(), 0, len(pattern)))

    def _open(self, word: str, start: int, end: int) -> list[Token]:
        word = word.replace("’", "'")
        if word[0] in _ENDERS:
            return [Token(STOP, start, end)]
        return [Token(part, start, end, "" if place else word) for place, part in enumerate(self._parts(word))]

    def _parts(self, word: str) -> tuple[str, ...]:
        if word in self.contractions:
            return self.contractions[word]
        for ending, full in self.endings.items():
            if word.endswith(ending) and len(word) > len(ending):
                host = word[: -len(ending)]
                if ending == "'s" and host not in self.is_hosts:
                    break
                return (host, *full)
        return (word,)

    def clauses(self, utterance: Utterance) -> tuple[Clause, ...]:
        """The clauses in order; every word belongs to exactly one."""
        cuts = [0]
        tokens = utterance.tokens
        for index in range(1, len(tokens)):
            word = tokens[index].word
            following = tokens[index + 1].word if index + 1 < len(tokens) else STOP
            opens = word in self.openers or (word in self.linkers and following in self.subjects)
            if word == STOP or (opens and cuts[-1] < index and tokens[index - 1].word not in self.openers):
                cuts.append(index)
        cuts.append(len(tokens))
        return tuple(self._clause(tokens, begin, end) for begin, end in itertools.pairwise(cuts)
                     if any(t.word != STOP for t in tokens[begin:end]))

    def _clause(self, tokens: Sequence[Token], begin: int, end: int) -> Clause:
        words = [t.word for t in tokens[begin:end] if t.word != STOP]
        opener = words[0] if words[0] in self.openers or words[0] in self.linkers else ""
        rest = words[1:] if opener else words
        subject, modal, verb, negated = "", "", "", False
        for place, word in enumerate(rest):
            if not subject and not verb and word in self.subjects:
                subject = self.subjects[word]
            elif not subject and not verb and word in self.determiners and place + 1 < len(rest):
                subject = "other"
            elif word in self.negations:
                negated = negated or not verb
            elif word in self.modals and not verb:
                modal = modal or word
            elif not verb and word not in self.auxiliaries and word not in self.adverbs:
                verb = word
        return Clause(opener, subject, modal, negated, verb, begin, end)


def fold(tokens: Sequence[Token]) -> list[Token]:
    """Repeated strings of one to four words are said once ("I can't I can't do this"): stammering is no cue (domain 7.3)."""
    kept = list(tokens)
    for size in range(LONGEST_REPEAT, 0, -1):
        index = 0
        while index + 2 * size <= len(kept):
            first = [t.word for t in kept[index: index + size]]
            second = [t.word for t in kept[index + size: index + 2 * size]]
            if first == second:
                # The span grows over both, so that a hedge that was stammered is marked whole.
                for offset in range(size):
                    old, new = kept[index + offset], kept[index + size + offset]
                    kept[index + offset] = Token(old.word, old.start, new.end, old.written)
                del kept[index + size: index + 2 * size]
            else:
                index += 1
    return kept


def _unstutter(tokens: Sequence[Token], letters: frozenset[str]) -> list[Token]:
    """Drops "c" in "c c can't": a lone letter that begins the word it leads to."""
    kept: list[Token] = []
    for token in reversed(tokens):
        word = token.word
        stutter = len(word) <= 2 and word not in letters and kept and kept[-1].word.startswith(word)
        if not stutter:
            kept.append(token)
    return kept[::-1]


def _utterance(tokens: Iterable[Token]) -> Utterance:
    whole = _single_stops(tokens)
    offsets, at = [], 0
    for token in whole:
        offsets.append(at)
        at += len(token.word) + 1
    return Utterance(tuple(whole), " ".join(t.word for t in whole) + " ", tuple(offsets))


def _single_stops(tokens: Iterable[Token]) -> list[Token]:
    kept: list[Token] = []
    for token in tokens:
        if token.word == STOP and kept and kept[-1].word == STOP:
            continue
        kept.append(token)
    return kept


def _pairs(table: Mapping[str, object], key: str) -> list[tuple[str, object]]:
    value = table.get(key)
    if not isinstance(value, dict):
        raise ValueError(f"words.toml: [{key}] is missing")
    return list(value.items())


def _words(table: Mapping[str, object], key: str) -> list[str]:
    value = table.get(key)
    if not isinstance(value, list) or not all(isinstance(word, str) for word in value):
        raise ValueError(f"words.toml: {key} must be a list of words")
    return value
