"""Which intents claim an utterance: whole utterances only, so a command word inside a long sentence never acts.

Content decides: `[intents.<id>] sentences = […]` in commands.toml and answers.toml. `inside = […]` are requests so explicit
that they count at the end of a longer sentence too, unless a word of `blockers` stands right before them, and at its beginning if
a word of `followers` shows that a new clause begins. `closed = […]` count
only where the guide has just asked something: partners say "sorry" and "what" to each other, too.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field

from voiceguide.errors import ContentError
from voiceguide.language.contract import Contract
from voiceguide.language.templates import (
    Node,
    TemplateError,
    TemplateIndex,
    parse,
    samples,
    short_sentences,
    words,
)

CHAIN_WORDS = 30  # a row of requests longer than this is a talk
_SAMPLES = 25  # sentences of one template that are looked at when two intents might claim the same


@dataclass(frozen=True, slots=True)
class IntentSpec:
    """The templates of one intent, as written. `where` names file and key for errors."""

    sentences: tuple[str, ...] = ()
    inside: tuple[str, ...] = ()
    closed: tuple[str, ...] = ()
    where: str = ""


@dataclass(frozen=True, slots=True)
class Edges:
    """Words that may stand around a command, all normalised; and which intent acts where two claim the same phrase."""

    openers: frozenset[str] = frozenset()
    tails: frozenset[str] = frozenset()
    connectors: frozenset[str] = frozenset()
    blockers: frozenset[str] = frozenset()
    refusals: frozenset[str] = frozenset()
    softeners: frozenset[str] = frozenset()
    followers: frozenset[str] = frozenset()
    precedence: Mapping[str, Sequence[str]] = field(default_factory=dict)


class Commands:
    """Templates of one language, compiled. Read-only after construction (patterns are compiled on first use)."""

    def __init__(
        self,
        specs: Mapping[str, IntentSpec],
        rules: Mapping[str, str],
        contract: Contract,
        edges: Edges,
        spaces: bool = True,
    ) -> None:
        """Raises ContentError naming file, intent and template."""
        self._contract, self._precedence, self.edges, self.spaces = contract, edges.precedence, edges, spaces
        self._nodes: dict[str, list[Node]] = {}
        self._index = TemplateIndex(spaces)
        self._inside = TemplateIndex(spaces)
        self._closed = TemplateIndex(spaces)
        self._order = {intent: number for number, intent in enumerate(contract.intents)}
        for intent, spec in specs.items():
            if intent not in self._order:
                raise ContentError("broken_pack", f"{spec.where}: no intent of the contract is called {intent}")
            inside = [_read(text, rules, spaces, spec.where) for text in spec.inside]
            whole = inside + [_read(text, rules, spaces, spec.where) for text in spec.sentences]
            closed = [_read(text, rules, spaces, spec.where) for text in spec.closed]
            self._nodes[intent] = whole + closed
            self._index.add(intent, whole)
            self._closed.add(intent, closed)
            self._inside.add(intent, inside)

    def claims(self, text: str, closed: bool = True) -> tuple[str, ...]:
        """Every intent that claims the whole of a normalised `text`. `closed`: the guide has just asked something."""
        found = self._index.match(text)
        return tuple(dict.fromkeys((*found, *self._closed.match(text)) if closed else found))

    def decide(self, claimed: Iterable[str], hoped: Sequence[str], settle: bool = True) -> str:
        """The one that acts: rails come first, then answers in the order of `hoped`; `precedence` says otherwise where it must
        (only if `settle`: without a question nothing is hoped for more than a rail).

        "" when none of `claimed` is a rail or hoped for.
        """
        rails = self._contract.rails
        live = [one for one in claimed if one in rails or one in hoped]
        beaten = {loser for winner in live for loser in self._precedence.get(winner, ()) if settle}
        left = [one for one in live if one not in beaten] or live
        place = {one: number for number, one in enumerate((*rails, *hoped))}
        return min(left, key=lambda one: place[one], default="")

    def beats(self, winner: str, loser: str) -> bool:
        """Whether content says that `winner` acts where both claim the same phrase."""
        return loser in self._precedence.get(winner, ())

    def trimmed(self, text: str, more: frozenset[str] = frozenset()) -> Iterator[str]:
        """`text` and what is left of it without opening and closing politeness, the least trimmed first.

        `more`: further words for either end, such as the partners' names.
        """
        pieces = text.split()
        fronts = _cuts(pieces, self.edges.openers | more)
        backs = [len(pieces) - cut for cut in _cuts(pieces[::-1], _reversed(self.edges.tails | more))]
        spans = {(begin, end) for begin in fronts for end in backs if begin < end}
        for begin, end in sorted(spans, key=lambda span: span[0] - span[1]):
            yield " ".join(pieces[begin:end])

    def chained(self, text: str, intent: str, more: frozenset[str] = frozenset()) -> bool:
        """Whether `text` is a row of sentences of `intent` and connectors and nothing else: "I'm sorry I can't I need air".

        `more`: further words that may stand between, such as the partners' names.
        """
        pieces = text.split()
        if not 1 < len(pieces) <= CHAIN_WORDS:
            return False
        reached = {0: False}  # position -> whether a sentence of the intent was among the words before it
        for begin in range(len(pieces)):
            if begin not in reached:
                continue
            for end in range(begin + 1, len(pieces) + 1):
                piece = " ".join(pieces[begin:end])
                said = intent in self._index.match(piece)
                if said or (end - begin <= 4 and (piece in self.edges.connectors or piece in more)):
                    reached[end] = reached.get(end, False) or reached[begin] or said
        return reached.get(len(pieces), False)

    def ends_with(self, text: str, intent: str) -> bool:
        """Whether a longer `text` ends in one of the explicit (`inside`) sentences of `intent`, said for oneself and now."""
        pieces = text.split()
        for begin in range(max(1, len(pieces) - 12), len(pieces)):
            if intent in self._inside.match(" ".join(pieces[begin:])):
                before = pieces[max(0, begin - 3) : begin]
                return not any(_blocks(before, size, self.edges.blockers) for size in (1, 2, 3))
        return False

    def begins_with(self, text: str, intent: str) -> bool:
        """Whether `text` begins with an explicit (`inside`) sentence of `intent` and goes on with a new clause (`followers`)."""
        pieces = text.split()
        for end in range(min(12, len(pieces) - 1), 0, -1):
            after = (" ".join(pieces[end : end + size]) for size in (1, 2, 3))
            if any(one in self.edges.followers for one in after) and intent in self._inside.match(" ".join(pieces[:end])):
                return True
        return False

    def plainer(self, text: str) -> str:
        """`text` without the words that only soften or sharpen it: "can we like maybe take a break"."""
        pieces = text.split()
        out: list[str] = []
        position = 0
        while position < len(pieces):
            size = next((n for n in (3, 2, 1) if " ".join(pieces[position : position + n]) in self.edges.softeners), 0)
            if not size:
                out.append(pieces[position])
            position += size or 1
        return " ".join(out)

    def refused(self, text: str) -> bool:
        """Whether `text` turns the thing down that it names: "no break, thanks"."""
        return any(f" {one} " in f" {text} " for one in self.edges.refusals)

    def intents(self) -> tuple[str, ...]:
        """Intents that have sentences."""
        return tuple(self._nodes)

    def words(self, intents: Iterable[str]) -> frozenset[str]:
        """Every word of the sentences of `intents`, for the closed recogniser's vocabulary."""
        return frozenset().union(*(words(node) for intent in intents for node in self._nodes.get(intent, ())))

    def phrases(self, intents: Iterable[str], longest: int = 4, most: int = 60) -> frozenset[str]:
        """The shorter complete sentences of `intents` (at most `most` each), without slots."""
        found: set[str] = set()
        for intent in intents:
            found.update(short_sentences(self._nodes.get(intent, ()), 40, longest)[:most])
        return frozenset(found)

    def claimed_twice(self) -> list[tuple[str, str, str]]:
        """(phrase, intent, intent) for phrases that two intents claim at the same step and no `precedence` settles."""
        found: dict[tuple[str, str], str] = {}
        for intent, nodes in self._nodes.items():
            for node in nodes:
                for phrase in samples(node, _SAMPLES):
                    for other in self.claims(phrase):
                        if self._order[other] > self._order[intent] and self._clash(intent, other):
                            found.setdefault((intent, other), phrase)
        return [(phrase, *pair) for pair, phrase in sorted(found.items())]

    def _clash(self, one: str, other: str) -> bool:
        if self.beats(one, other) or self.beats(other, one):
            return False
        rails = self._contract.rails
        if one in rails and other in rails:
            return True
        sets = [set(hoped.intents) for hoped in self._contract.expectations.values()]
        return any((one in rails or one in hoped) and (other in rails or other in hoped) for hoped in sets)


def _read(
    text: str, rules: Mapping[str, str], spaces: bool, where: str
) -> Node:
    try:
        return parse(text, rules, spaces)
    except TemplateError as problem:
        raise ContentError("broken_pack", f'{where}: "{text}": {problem}') from None


def _blocks(before: Sequence[str], size: int, blockers: frozenset[str]) -> bool:
    rows = (before[begin : begin + size] for begin in range(len(before) - size + 1))
    return any(" ".join(row) in blockers for row in rows)


def _cuts(pieces: Sequence[str], removable: frozenset[str]) -> list[int]:
    """Positions up to which the beginning of `pieces` may be taken off."""
    reached = [0]
    for begin in reached:
        for size in (1, 2, 3, 4):
            end = begin + size
            if end < len(pieces) and end not in reached and " ".join(pieces[begin:end]) in removable:
                reached.append(end)
    return reached


def _reversed(phrases: frozenset[str]) -> frozenset[str]:
    return frozenset(" ".join(reversed(phrase.split())) for phrase in phrases)
