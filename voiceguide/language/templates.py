"""Sentence templates in hassil's notation, compiled once into something that answers in microseconds.

`(a|b)` one of, `[a]` perhaps, `<rule>` a named part, `{slot}` a place for a time, a number or a name. hassil itself reads a
template in 0.5 ms and matches in 1 to 17 ms (measured); with a thousand templates that is too slow to start and to answer,
so templates are compiled here, and a test holds this reader against hassil's own on every template of every pack.
"""

from __future__ import annotations

import itertools
import re
from dataclasses import dataclass, field
from typing import Iterable, Iterator, Mapping, Union

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
    reader = _Reader(template, rules, spaces, 0)
    node = reader.choice(closing="")
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


def sentences(node: Node) -> Iterator[str]:
    """Every sentence of `node`, with single spaces; may be many: take what you need with `itertools.islice`."""
    for chosen in _sentences(node):
        yield " ".join(chosen).replace(" '", "'")


def _sentences(node: Node) -> Iterator[tuple[str, ...]]:
    if isinstance(node, Word):
        yield (node.text,)
    elif isinstance(node, Choice):
        for item in node.items:
            yield from _sentences(item)
    elif not node.items:
        yield ()
    else:
        head, tail = node.items[0], Chain(node.items[1:])
        for begin in _sentences(head):
            for end in _sentences(tail):
                yield begin + end


def respell(node: Node, spell: Mapping[str, tuple[str, ...]]) -> Node:
    """`node` with single words replaced by their canonical words."""
    if isinstance(node, Word):
        other = spell.get(node.text)
        return node if other is None else _chain([Word(word) for word in other])
    items = tuple(respell(item, spell) for item in node.items)
    return Chain(items) if isinstance(node, Chain) else Choice(items)


@dataclass(slots=True)
class TemplateIndex:
    """Which labels (intents) claim a whole text. Filled once, then only read; patterns are compiled on first use.

    Sentences are filed under the words (or, without spaces, the first letters) they can begin with, so that an utterance
    meets only the few that could fit.
    """

    spaces: bool = True
    _nodes: dict[str, list[tuple[str, Node]]] = field(default_factory=dict)
    _compiled: dict[str, list[tuple[str, re.Pattern[str]]]] = field(default_factory=dict)

    def add(self, label: str, nodes: Iterable[Node]) -> None:
        """File `nodes` under `label`."""
        for node in nodes:
            keys = {self._key(apart(first)) for first in firsts(node)}
            if "" in keys:
                raise TemplateError("the sentence can be empty")
            for key in keys:
                self._nodes.setdefault(key, []).append((label, node))

    def match(self, text: str) -> tuple[str, ...]:
        """Labels that claim the whole of `text` (normalised), in the order in which they were added."""
        if not text:
            return ()
        text = apart(text)
        subject = text + " " if self.spaces else text.replace(" ", "")
        return tuple(label for label, regex in self._bucket(self._key(text)) if regex.fullmatch(subject))

    def _key(self, text: str) -> str:
        if text.startswith("{"):
            return text.partition(" ")[0].partition("}")[0] + "}"
        return text.partition(" ")[0] if self.spaces else text[:1]

    def _bucket(self, key: str) -> list[tuple[str, re.Pattern[str]]]:
        found = self._compiled.get(key)
        if found is None:
            by_label: dict[str, list[str]] = {}
            for label, node in self._nodes.get(key, ()):
                by_label.setdefault(label, []).append(pattern(node, self.spaces))
            found = [(label, re.compile("|".join(parts))) for label, parts in by_label.items()]
            if key in self._nodes:
                self._compiled[key] = found
        return found


def first_sentences(nodes: Iterable[Node], each: int, longest: int) -> list[str]:
    """Up to `each` sentences of every node, of at most `longest` words, shortest first, without slots."""
    found: dict[str, None] = {}
    for node in nodes:
        for sentence in itertools.islice(sentences(node), each):
            if "{" not in sentence and len(sentence.split()) <= longest:
                found[sentence] = None
    return sorted(found, key=lambda sentence: (len(sentence.split()), sentence))
