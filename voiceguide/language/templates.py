"""Sentence templates in hassil's notation, compiled once into something that answers in microseconds.

`(a|b)` one of, `[a]` perhaps, `<rule>` a named part, `{slot}` a place for a time, a number or a name. hassil itself reads a
template in 0.5 ms and matches in 1 to 17 ms (measured); with a thousand templates that is too slow to start and to answer,
so templates are compiled here, and a test holds this reader against hassil's own on every template of every pack.
"""

from __future__ import annotations

import itertools
import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Union

_PIECES = re.compile(r"\s+|[()\[\]|]|<[^<>]*>|\{[^{}]*\}|[^\s()\[\]|<>{}]+")
_GLUED = re.compile(r"\w[\[(<{]\w|[\])>}]\w")
MAX_DEPTH = 12  # rules that name rules


class TemplateError(ValueError):
    """A template that cannot be read; the message says why."""


@dataclass(frozen=True, slots=True)
class Word:
    """One word, or one `{slot}`."""

    text: str


@dataclass(frozen=True, slots=True)
class Chain:
    """One after the other."""

    items: tuple[Node, ...]


@dataclass(frozen=True, slots=True)
class Choice:
    """One of these."""

    items: tuple[Node, ...]


Node = Union[Word, Chain, Choice]
EMPTY = Chain(())


def parse(template: str, rules: Mapping[str, str], spaces: bool = True) -> Node:
    """Read a template. Raises TemplateError (unbalanced brackets, unknown or endless rules, words glued to brackets)."""
    if spaces and _GLUED.search(template):
        raise TemplateError("write whole words inside brackets")
    node = _Reader(template, rules, spaces, 0).choice(closing="")
    if "" in firsts(node):
        raise TemplateError("the sentence can be empty")
    return node


class _Reader:
    """A recursive reader over the pieces of one template."""

    def __init__(self, template: str, rules: Mapping[str, str], spaces: bool, depth: int) -> None:
        if depth > MAX_DEPTH:
            raise TemplateError("rules name each other without end")
        self._pieces = _PIECES.findall(template)
        if sum(map(len, self._pieces)) != len(template):
            raise TemplateError("a bracket is not closed")
        self._at = 0
        self._rules, self._spaces, self._depth = rules, spaces, depth

    def choice(self, closing: str) -> Node:
        branches: list[Node] = []
        chain: list[Node] = []
        while True:
            piece = self._next()
            if piece in ("", ")", "]"):
                if piece != closing:
                    raise TemplateError("a bracket is not closed" if not piece else f"a stray {piece}")
                branches.append(_chain(chain))
                return branches[0] if len(branches) == 1 else Choice(tuple(branches))
            if piece == "|":
                branches.append(_chain(chain))
                chain = []
            elif not piece.isspace():
                chain.append(self._item(piece))

    def _item(self, piece: str) -> Node:
        if piece == "(":
            return self.choice(")")
        if piece == "[":
            return Choice((self.choice("]"), EMPTY))
        if piece[0] == "<":
            name = piece[1:-1]
            if name not in self._rules:
                raise TemplateError(f"no rule is named {name}")
            return _Reader(self._rules[name], self._rules, self._spaces, self._depth + 1).choice("")
        return Word(piece)

    def _next(self) -> str:
        if self._at >= len(self._pieces):
            return ""
        self._at += 1
        return str(self._pieces[self._at - 1])


def _chain(items: list[Node]) -> Node:
    return items[0] if len(items) == 1 else Chain(tuple(items))


def apart(text: str) -> str:
    """Contractions as two words, so that "i (need|'d like)" and "i'd like" meet."""
    return text.replace("'", " '").strip()


def pattern(node: Node, spaces: bool = True) -> str:
    """A regular expression for `node`; every word is followed by one space (none where spacing is ignored)."""
    if isinstance(node, Word):
        return re.escape(apart(node.text)) + (" " if spaces else "")
    parts = [pattern(item, spaces) for item in node.items]
    if isinstance(node, Chain):
        return "".join(parts)
    optional = "?" if "" in parts else ""
    return "(?:" + "|".join(part for part in parts if part) + ")" + optional


def firsts(node: Node) -> frozenset[str]:
    """Every word a sentence of `node` can begin with; "" when it can be empty."""
    if isinstance(node, Word):
        return frozenset((node.text,))
    if isinstance(node, Choice):
        return frozenset().union(*(firsts(item) for item in node.items))
    found: frozenset[str] = frozenset()
    for item in node.items:
        begins = firsts(item)
        found |= begins - {""}
        if "" not in begins:
            return found
    return found | {""}


def words(node: Node) -> frozenset[str]:
    """Every word of `node`, slots left out."""
    if isinstance(node, Word):
        return frozenset() if node.text[0] in "{'" else frozenset((node.text,))
    return frozenset().union(*(words(item) for item in node.items))


def samples(node: Node, count: int) -> Iterator[str]:
    """Up to `count` sentences spread over all branches of `node`; always the same ones."""
    seen: set[str] = set()
    for number in range(count):
        draw = _Draw(number)
        sentence = " ".join(_drawn(node, draw)).replace(" '", "'")
        if sentence not in seen:
            seen.add(sentence)
            yield sentence


class _Draw:
    """A fixed row of choices: the language layer knows no chance. Every sample shifts each fork by another step."""

    def __init__(self, seed: int) -> None:
        self._state = seed * 2_654_435_761 + 12_345

    def one_of(self, size: int) -> int:
        self._state = (self._state * 1_103_515_245 + 12_345) % 2**31
        return (self._state >> 8) % size


def _drawn(node: Node, draw: _Draw) -> tuple[str, ...]:
    if isinstance(node, Word):
        return (node.text,)
    if isinstance(node, Choice):
        return _drawn(node.items[draw.one_of(len(node.items))], draw)
    return tuple(word for item in node.items for word in _drawn(item, draw))


@dataclass(slots=True)
class TemplateIndex:
    """Which labels (intents) claim a whole text. Filled once, then only read; patterns are compiled on first use.

    Sentences are filed under the first word (or, without spaces, the first letter) they can begin with, and on first use
    under the first two, so that an utterance meets only the few that could fit: "i" alone begins hundreds.
    """

    spaces: bool = True
    _nodes: dict[str, list[tuple[str, Node]]] = field(default_factory=dict)
    _pairs: dict[str, dict[tuple[str, ...], list[tuple[str, Node]]]] = field(default_factory=dict)
    _compiled: dict[tuple[str, ...], list[tuple[str, re.Pattern[str]]]] = field(default_factory=dict)

    def add(self, label: str, nodes: Iterable[Node]) -> None:
        """File `nodes` under `label`."""
        for node in nodes:
            for key in {self._first(first) for first in firsts(node)}:
                self._nodes.setdefault(key, []).append((label, node))

    def match(self, text: str) -> tuple[str, ...]:
        """Labels that claim the whole of `text` (normalised), in the order in which they were added."""
        first = self._first(text)
        if not text or first not in self._nodes:
            return ()
        text = apart(text)
        if not self.spaces:
            return _claiming(self._bucket((first,), self._nodes[first]), text.replace(" ", ""))
        pairs = self._pairs.get(first)
        if pairs is None:
            pairs = self._pairs[first] = _by_pairs(first, self._nodes[first])
        key = tuple(text.split(" ", 2)[:2])
        nodes = pairs.get(key)
        return _claiming(self._bucket(key, nodes), text + " ") if nodes else ()

    def _first(self, text: str) -> str:
        return apart(text).partition(" ")[0] if self.spaces or text.startswith("{") else text[:1]

    def _bucket(self, key: tuple[str, ...], nodes: list[tuple[str, Node]]) -> list[tuple[str, re.Pattern[str]]]:
        found = self._compiled.get(key)
        if found is None:
            by_label: dict[str, list[str]] = {}
            for label, node in nodes:
                by_label.setdefault(label, []).append(pattern(node, self.spaces))
            found = self._compiled[key] = [(label, re.compile("|".join(parts))) for label, parts in by_label.items()]
        return found


def _claiming(bucket: list[tuple[str, re.Pattern[str]]], subject: str) -> tuple[str, ...]:
    return tuple(label for label, regex in bucket if regex.fullmatch(subject))


def _by_pairs(first: str, nodes: list[tuple[str, Node]]) -> dict[tuple[str, ...], list[tuple[str, Node]]]:
    pairs: dict[tuple[str, ...], list[tuple[str, Node]]] = {}
    for label, node in nodes:
        for begin in beginnings(node):
            if begin[0] == first:
                pairs.setdefault(begin, []).append((label, node))
    return pairs


def beginnings(node: Node, size: int = 2) -> frozenset[tuple[str, ...]]:
    """The first `size` words (contractions apart) of every sentence of `node`; shorter where the sentence is."""
    if isinstance(node, Word):
        return frozenset((tuple(apart(node.text).split()[:size]),))
    if isinstance(node, Choice):
        return frozenset().union(*(beginnings(item, size) for item in node.items))
    found: frozenset[tuple[str, ...]] = frozenset(((),))
    for item in node.items:
        short = {begin for begin in found if len(begin) < size}
        if not short:
            break
        after = beginnings(item, size)
        found = (found - short) | {(begin + more)[:size] for begin in short for more in after}
    return found


def short_sentences(nodes: Iterable[Node], each: int, longest: int) -> list[str]:
    """Up to `each` sentences of every node, of at most `longest` words and without slots, shortest first."""
    found: dict[str, None] = {}
    for node in nodes:
        for chosen in itertools.islice(_bounded(node, longest), each):
            sentence = " ".join(chosen).replace(" '", "'")
            if "{" not in sentence:
                found[sentence] = None
    return sorted(found, key=lambda sentence: (sentence.count(" "), sentence))


def _bounded(node: Node, room: int) -> Iterator[tuple[str, ...]]:
    """Sentences of at most `room` words."""
    if isinstance(node, Word):
        if room:
            yield (node.text,)
    elif isinstance(node, Choice):
        for item in node.items:
            yield from _bounded(item, room)
    elif not node.items:
        yield ()
    else:
        tail = Chain(node.items[1:])
        for begin in _bounded(node.items[0], room):
            for end in _bounded(tail, room - len(begin)):
                yield begin + end
