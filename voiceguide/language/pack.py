"""A language is a folder of files, no code: `content/<language>/` read once, checked, and turned into readers.

pack.toml (how the language is written, fillers, precedence), commands.toml and answers.toml (what people say), times.toml,
prompts/*.toml (what the guide says), examples/*.toml (labelled, for tests). Every mistake is a ContentError that names file
and key.
"""

from __future__ import annotations

import functools
import importlib.resources
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from voiceguide.errors import ContentError
from voiceguide.language.commands import Commands, Edges, IntentSpec
from voiceguide.language.contract import Contract, contract, read_toml
from voiceguide.language.lexicon import number_words
from voiceguide.language.normalise import Normaliser, Spelling
from voiceguide.language.own_name import OwnName
from voiceguide.language.when import Times

VARIANTS = ("text", "again", "short", "resumed")


@dataclass(frozen=True, slots=True)
class Prompt:
    """One thing the guide says. Missing variants fall back to `text`. `names`: intents whose phrases it teaches aloud."""

    text: str
    again: str = ""
    short: str = ""
    resumed: str = ""
    names: tuple[str, ...] = ()

    def variant(self, wording: str) -> str:
        """The words for a wording of `Say` ("" is `text`)."""
        chosen = {"again": self.again, "short": self.short or self.again, "resumed": self.resumed}.get(wording, "")
        return chosen or self.text


@dataclass(frozen=True)
class Pack:
    """Everything of one language. `speak` is the table of pack.toml from which wording makes numbers and times; `numbers`
    holds number words by what is counted ("" for anything, "hour", "minute", …)."""

    language: str
    contract: Contract
    normalise: Normaliser
    times: Times
    commands: Commands
    prompts: Mapping[str, Prompt]
    known_words: frozenset[str] = frozenset()
    speak: Mapping[str, Any] = field(default_factory=dict)
    numbers: Mapping[str, Mapping[int, str]] = field(default_factory=dict)
    lines: Mapping[str, Any] = field(default_factory=dict)
    own_name: OwnName = field(default_factory=lambda: OwnName.of({}, spaces=True))

    @staticmethod
    def load(language: str) -> Pack:
        """The pack of `language` ("en", "ko"), read once per process. Raises ContentError."""
        return _load(language)

    @staticmethod
    def languages() -> tuple[str, ...]:
        """Languages that are installed."""
        folder = importlib.resources.files("voiceguide") / "content"
        return tuple(sorted(one.name for one in folder.iterdir() if one.is_dir() and (one / "pack.toml").is_file()))


@functools.lru_cache(maxsize=8)
def _load(language: str) -> Pack:
    if language not in Pack.languages():
        known = ", ".join(Pack.languages())
        raise ContentError("unknown_language", "there is no content for this language", hint=f"choose one of: {known}")
    main = read_toml(language, "pack.toml")
    spelling = _spelling(main, f"content/{language}/pack.toml")
    table = read_toml(language, "times.toml")
    times = Times(table, f"content/{language}/times.toml", spelling.spaces)
    spoken_numbers = frozenset(phrase for phrase, token in times.lexicon.entries.items() if token.kind == "number")
    spelling = replace(spelling, keep_repeats=spelling.keep_repeats | spoken_numbers)  # "ten ten" is a time
    plain = Normaliser(spelling)
    commands = _commands(language, main, plain)
    names = _table(main, "own_name", "pack.toml")
    vocabulary = commands.words(commands.intents()) | times.lexicon.words()
    return Pack(
        language,
        contract(),
        Normaliser(spelling, _short(vocabulary) | _phrases(main, "letters", "pack.toml")),
        times,
        commands,
        load_prompts(language),
        vocabulary | _words_of(main),
        main.get("speak", {}),
        _numbers(table.get("numbers", []), _table(main, "speak", "pack.toml").get("numbers", {})),
        main.get("lines", {}),
        OwnName.of({key: _ordered(names, key, "own_name") for key in names}, spaces=spelling.spaces),
    )


def _short(words: frozenset[str]) -> frozenset[str]:
    """Words that could be taken for the beginning of a longer one."""
    return frozenset(word for word in words if 1 < len(word) <= 3)


def _numbers(systems: list[Mapping[str, Any]], counts: Mapping[str, str]) -> dict[str, dict[int, str]]:
    """Words by value, the first spelling of each; `counts` names the system that a unit is counted with."""
    by_name: dict[str, dict[int, str]] = {}
    for system in systems:
        words: dict[int, str] = {}
        for word, value in number_words([system]).items():
            words.setdefault(int(value), word)
        by_name[str(system.get("name", ""))] = words
    first = next(iter(by_name.values()), {})
    return {"": first, **{unit: by_name.get(name, first) for unit, name in counts.items()}}


def _spelling(main: Mapping[str, Any], where: str) -> Spelling:
    table = _table(main, "spelling", where)
    return Spelling(
        {str(one): str(other) for one, other in _table(table, "replace", where).items()},
        _phrases(table, "hesitations", where),
        _phrases(table, "keep_repeats", where),
        bool(table.get("fragments", True)),
        bool(table.get("spaces", True)),
    )


def _commands(language: str, main: Mapping[str, Any], plain: Normaliser) -> Commands:
    rules: dict[str, str] = {}
    specs: dict[str, IntentSpec] = {}
    for name in ("commands.toml", "answers.toml"):
        where = f"content/{language}/{name}"
        table = read_toml(language, name)
        for rule, text in _table(table, "rules", where).items():
            rules[rule] = plain.template(str(text))
        for intent, spec in _table(table, "intents", where).items():
            if intent in specs or not isinstance(spec, dict):
                raise ContentError("broken_pack", f"{where}: intents.{intent} is given twice or is no table")
            inner = f"{where}: intents.{intent}"
            lists = {key: tuple(map(plain.template, _ordered(spec, key, inner))) for key in ("sentences", "inside", "closed")}
            specs[intent] = IntentSpec(**lists, where=inner)
    where = f"content/{language}/pack.toml"
    edges = _table(main, "edges", where)
    keys = ("openers", "tails", "connectors", "blockers", "refusals", "softeners", "followers")
    named = {key: frozenset(map(plain.plain, _phrases(edges, key, where))) for key in keys}
    precedence = {winner: tuple(losers) for winner, losers in _table(main, "precedence", where).items()}
    return Commands(specs, rules, contract(), Edges(**named, precedence=precedence), plain.spelling.spaces)


def load_prompts(language: str) -> dict[str, Prompt]:
    """All prompts of `content/<language>/prompts/*.toml`, ids dotted ("pause.begin"). Raises ContentError."""
    folder = importlib.resources.files("voiceguide") / "content" / language / "prompts"
    found: dict[str, Prompt] = {}
    names = sorted(one.name for one in folder.iterdir() if one.name.endswith(".toml")) if folder.is_dir() else []
    for name in names:
        where = f"content/{language}/prompts/{name}"
        for prompt_id, prompt in prompts_of(read_toml(f"{language}/prompts", name), where).items():
            if prompt_id in found:
                raise ContentError("broken_pack", f"{where}: {prompt_id} is given twice")
            found[prompt_id] = prompt
    return found


def prompts_of(table: Mapping[str, Any], where: str) -> dict[str, Prompt]:
    """The prompts of one file's table. Raises ContentError naming `where` and the prompt."""
    return {name: _prompt(leaf, f"{where}: {name}") for name, leaf in _leaves("", table, where)}


def _leaves(prefix: str, table: Mapping[str, Any], where: str) -> list[tuple[str, Mapping[str, Any]]]:
    """A table with a `text` is a prompt; it may hold further prompts beside its variants."""
    out: list[tuple[str, Mapping[str, Any]]] = []
    if "text" in table or (prefix and not any(isinstance(value, dict) for value in table.values())):
        out.append((prefix, {key: value for key, value in table.items() if not isinstance(value, dict)}))
    for key, value in table.items():
        if isinstance(value, dict):
            out.extend(_leaves(f"{prefix}.{key}" if prefix else key, value, where))
        elif not prefix:
            raise ContentError("broken_pack", f"{where}: {key} stands outside every prompt")
    return out


def _prompt(table: Mapping[str, Any], where: str) -> Prompt:
    unknown = set(table) - {*VARIANTS, "names"}
    if unknown:
        known = ", ".join(VARIANTS)
        raise ContentError("broken_pack", f"{where}: unknown key {min(unknown)}", hint=f"known: {known}, names")
    if not isinstance(table.get("text"), str) or not table["text"].strip():
        raise ContentError("broken_pack", f"{where}: text is missing")
    for key in VARIANTS:
        if not isinstance(table.get(key, ""), str):
            raise ContentError("broken_pack", f"{where}: {key} is no text")
    words = {key: table.get(key, "") for key in VARIANTS}
    return Prompt(**words, names=_ordered(table, "names", where))


def _table(table: Mapping[str, Any], key: str, where: str) -> Mapping[str, Any]:
    value = table.get(key, {})
    if not isinstance(value, dict):
        raise ContentError("broken_pack", f"{where}: {key} is no table")
    return value


def _ordered(table: Mapping[str, Any], key: str, where: str) -> tuple[str, ...]:
    value = table.get(key, [])
    if not isinstance(value, list) or not all(isinstance(one, str) for one in value):
        raise ContentError("broken_pack", f"{where}: {key} is no list of texts")
    return tuple(value)


def _phrases(table: Mapping[str, Any], key: str, where: str) -> frozenset[str]:
    return frozenset(_ordered(table, key, where))


def _words_of(main: Mapping[str, Any]) -> frozenset[str]:
    edges = main.get("edges", {})
    lists = (*edges.values(), main.get("common", []))
    return frozenset(word for phrases in lists for phrase in phrases for word in phrase.split())
