"""One utterance, understood: rails that are certain, then the answers hoped for, then times, then free talk.

Templates are certain and may act at once; what the detectors add is a suggestion, and suggestions only ever ask (design 4).
Pure: `now` comes in. Whatever is fed (nothing, 5 000 words, emoji, another language), the answer is a Meaning, never an
exception, and it holds nothing of the text but numbers.
"""

from __future__ import annotations

import itertools
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

from voiceguide.core.events import Cue
from voiceguide.language.contract import Hoped
from voiceguide.language.judgements import Apology, Meaning, Promise, Request
from voiceguide.language.pack import Pack
from voiceguide.language.when import NONE, When

LONGEST_COMMAND = 40  # words: nothing longer is a command or an answer
LONGEST_BARE = 6  # words: who says more has told something
RESTING = "resting"  # where nobody was asked anything, two people may say yes and no to each other
LONGEST_ANSWER = 25  # words in which a time still answers "when shall we come back?"
TALK = "talk"
NOTHING = "none"
_UNSURE = 0.3  # confidence of "none": nothing was understood
_FREE = 0.6  # confidence of "talk": it is no command, and nobody judged it

TIME, LONGER, NUMBER, NAME = "{time}", "{longer}", "{number}", "{name}"
HIGHEST_NUMBER = 10  # how stirred up are you, zero to ten
# Who says these with a time in the sentence does not agree on that time.
_DESPITE_A_TIME = frozenset(("objection", "now"))
_OUTSPOKEN = 0.6
# A return time does not make these answers something else: they carry it in a slot.
_CARRY_TIME = frozenset(("pause", "more_time", "return_time", "later"))


@dataclass(frozen=True, slots=True)
class Found:
    """What the detectors saw in one utterance. `suggestion`: an intent and how sure (0 to 1), "" for none."""

    cues: tuple[Cue, ...] = ()
    apology: Apology | None = None
    promise: Promise | None = None
    request: Request | None = None
    past_as_weapon: bool = False
    safety: str = ""
    suggestion: str = ""
    confidence: float = 0.0


class Detectors(Protocol):
    """Everything that judges free speech: phrase and grammar detectors, encoder heads. Pure and without exceptions."""

    def examine(self, text: str, normal: str, hoped: Hoped | None) -> Found:
        """Judge `text` (as heard; spans count its characters) at the step that hopes for `hoped`.

        `normal` is the same, normalised. `hoped.judge` names what must be filled: "apology", "promise", "request" or "".
        """


@dataclass(frozen=True, slots=True)
class Vocabulary:
    """What the ear should hope for at a step: short complete answers, a pattern for times, every word that can occur."""

    name: str
    phrases: frozenset[str] = frozenset()
    pattern: str = ""
    words: frozenset[str] = frozenset()


@dataclass(frozen=True, slots=True)
class _Reading:
    """A variant of the utterance with slots in place of what they stand for, and their values."""

    text: str
    slots: Mapping[str, str | int | float]


class Understanding:
    """Turns text into meaning for one language. `detectors` may be plugged in; without them only templates speak."""

    def __init__(self, pack: Pack, detectors: Detectors | None = None) -> None:
        self._pack = pack
        self._detectors = detectors
        self._everything = Hoped("", tuple(one for one in pack.contract.intents if one not in (TALK, NOTHING)), free=True)

    def understand(
        self, text: str, expect: str | None, now: datetime, names: tuple[str, ...] = (), phrase: str = ""
    ) -> Meaning:
        """The meaning of `text` at a step that hopes for `expect` (None: anything). `names`: the two partners;
        `phrase`: the couple's agreed phrase, which counts as an explicit pause request."""
        hoped = self._hoped(expect)
        normal = self._pack.normalise(text)
        sized = normal if normal.count(" ") < LONGEST_COMMAND else ""
        when = self._pack.times.parse(sized, now) if sized else NONE
        certain = self._certain(sized, hoped, when, self._names(names), self._pack.normalise(phrase)) if sized else None
        if certain is None and self._has_request(normal):
            certain = _meaning("pause", {}, when)
        found = self._examined(text, normal, expect, hoped)
        if certain is not None and certain.intent == "return_time" and _outspoken(found):
            certain = None
        return _together(certain or self._uncertain(text, normal, hoped, found), found)

    def _has_request(self, normal: str) -> bool:
        """Whether a longer utterance begins or ends with an explicit request for a pause."""
        commands = self._pack.commands
        plain = commands.plainer(normal)
        asked = commands.ends_with(plain, "pause") or any(
            commands.begins_with(one, "pause") for one in itertools.islice(commands.trimmed(plain), 3)
        )
        return asked and not commands.refused(normal)

    def expectation(self, expect: str | None, names: tuple[str, ...] = ()) -> Vocabulary:
        """The vocabulary of a step; rails are always in it."""
        hoped = self._hoped(expect)
        commands, times = self._pack.commands, self._pack.times
        intents = (*self._pack.contract.rails, *hoped.intents)
        words = set(commands.words(intents))
        phrases = set(commands.phrases(intents))
        if "return_time" in hoped.intents or "more_time" in hoped.intents:
            words |= times.lexicon.words()
        if "open_time" in hoped.intents:
            phrases.update(one for one, token in times.lexicon.entries.items() if token.kind in ("open", "day"))
        if "number" in hoped.intents:
            spoken = times.lexicon.entries.items()
            phrases.update(one for one, token in spoken if token.kind == "number" and token.value <= HIGHEST_NUMBER)
            words.update(word for one in phrases for word in one.split())
        if "name" in hoped.intents:
            normal = [one for one in map(self._pack.normalise.plain, names) if one]
            phrases.update(normal)
            words.update(word for one in normal for word in one.split())
        timed = "return_time" in hoped.intents
        return Vocabulary(expect or "", frozenset(phrases), times.pattern() if timed else "", frozenset(words))

    def _hoped(self, expect: str | None) -> Hoped:
        if expect is None:
            return self._everything
        return self._pack.contract.expectations.get(expect, self._everything)

    def _names(self, names: tuple[str, ...]) -> tuple[str, ...]:
        return tuple(self._pack.normalise.plain(name) for name in names)

    def _certain(
        self, normal: str, hoped: Hoped, when: When, names: tuple[str, ...], phrase: str
    ) -> Meaning | None:
        commands = self._pack.commands
        readings = list(self._readings(normal, hoped, when, names))
        # Where nobody asked anything, a rail is meant rather than an answer, however the politeness around it is read.
        for intents, reading in itertools.product((hoped.intents,) if hoped.name else ((), hoped.intents), readings):
            if phrase and reading.text == phrase:
                return _meaning("pause", {}, NONE)
            claimed = commands.claims(reading.text, closed=not (hoped.free and hoped.name))
            chosen = commands.decide(claimed, intents, settle=bool(hoped.name))
            if chosen == "pause" and reading.text != normal and commands.refused(normal):
                continue
            if chosen == "yes" and self._begins_with_a_no(normal, reading.text):
                continue
            if chosen:
                timed = TIME in reading.text or LONGER in reading.text
                if chosen == "pause" and timed and (better := self._as_answer(hoped)):
                    chosen = better
                return _meaning(chosen, reading.slots, when if timed or chosen in _CARRY_TIME else NONE)
        if phrase and " " in phrase and f" {phrase} " in f" {normal} ":
            return _meaning("pause", {}, NONE)
        return self._timed(normal, hoped, when) or self._chained(normal, when, frozenset(names))

    def _begins_with_a_no(self, normal: str, rest: str) -> bool:
        """Whether a "no" was taken off as politeness: "no, it's fine" is no consent, and is asked again."""
        before = normal.removesuffix(rest).split() if normal.endswith(rest) else normal.partition(rest)[0].split()
        return any("no" in self._pack.commands.claims(word) for word in before)

    def _as_answer(self, hoped: Hoped) -> str:
        """"I need twenty minutes" is a pause in open talk, and an answer where a time is hoped for."""
        named = [one for one in ("more_time", "return_time") if one in hoped.intents]
        return next((one for one in named if hoped.name and self._pack.commands.beats(one, "pause")), "")

    def _timed(self, normal: str, hoped: Hoped, when: When) -> Meaning | None:
        """A time (or an answer that refuses one) where one was hoped for."""
        if normal.count(" ") >= LONGEST_ANSWER or not hoped.name or "return_time" not in hoped.intents:
            return None
        if when.kind == "definite" and (when.seconds or 0.0) > 0:
            return _meaning("return_time", {}, when)
        if when.kind == "open" and "open_time" in hoped.intents:
            return _meaning("open_time", {}, NONE)
        return None

    def _chained(self, normal: str, when: When, names: frozenset[str]) -> Meaning | None:
        if self._pack.commands.refused(normal):
            return None
        with_time = _with_slot(normal, when) if _nameable(when) else normal
        if any(self._pack.commands.chained(one, "pause", names) for one in dict.fromkeys((normal, with_time))):
            return _meaning("pause", {}, when)
        return None

    def _readings(self, normal: str, hoped: Hoped, when: When, names: tuple[str, ...]) -> Iterator[_Reading]:
        vocatives = frozenset(one for one in names if one)
        timed = _with_slot(normal, when) if _nameable(when) else ""
        for text in self._pack.commands.trimmed(normal):
            yield _Reading(text, {})
        for one in [timed.replace(TIME, LONGER), timed] if when.extends else [timed]:
            for text in self._pack.commands.trimmed(one, vocatives):
                yield _Reading(text, {})
        if "number" in hoped.intents:
            yield from self._numbered(normal)
        if "name" in hoped.intents:
            yield from self._named(normal, names)
        if vocatives:
            for text in self._pack.commands.trimmed(normal, vocatives):
                yield _Reading(text, {})
        plainer = self._pack.commands.plainer(timed or normal)
        if plainer != (timed or normal):
            for text in self._pack.commands.trimmed(plainer, vocatives):
                yield _Reading(text, {})

    def _numbered(self, normal: str) -> Iterator[_Reading]:
        tokens = self._pack.times.lexicon.tokens(normal)
        numbers = [one for one in tokens if one.kind == "number" and one.value <= HIGHEST_NUMBER]
        if not numbers or any(one.kind == "number" and one.value > HIGHEST_NUMBER for one in tokens):
            return
        words = normal.split()
        for token in reversed(numbers):
            begin, end = token.at
            words[begin:end] = [NUMBER]
        # "seven out of ten": the scale is no answer; else what was said last counts.
        said = [one for one in numbers if one.value < HIGHEST_NUMBER] or numbers
        for text in self._pack.commands.trimmed(" ".join(words)):
            yield _Reading(text, {"value": int(said[-1].value)})

    def _named(self, normal: str, names: tuple[str, ...]) -> Iterator[_Reading]:
        for who, name in enumerate(names):
            # Where spacing is ignored, a particle may cling to the name.
            around = " " if self._pack.normalise.spelling.spaces else ""
            if name and f"{around}{name}{around}" in f" {normal} ":
                replaced = f" {normal} ".replace(f"{around}{name}{around}", f" {NAME} ", 1).strip()
                for text in self._pack.commands.trimmed(replaced):
                    yield _Reading(text, {"who": who})

    def _examined(self, text: str, normal: str, expect: str | None, hoped: Hoped) -> Found:
        if self._detectors is None or not normal:
            return Found()
        return self._detectors.examine(text, normal, hoped if expect is not None else None)

    def _uncertain(self, text: str, normal: str, hoped: Hoped, found: Found) -> Meaning:
        if not normal:
            return Meaning(NOTHING, certain=False, confidence=0.0)
        if hoped.free and hoped.name != RESTING and self._is_bare(normal, hoped):
            return Meaning(NOTHING, certain=False, confidence=_UNSURE)
        if hoped.judge == "name":
            span = self._pack.own_name.find(text)
            if span is None:
                return Meaning(NOTHING, certain=False, confidence=_UNSURE)
            return Meaning(TALK, {"begin": span[0], "end": span[1]}, certain=False, confidence=_FREE)
        welcome = not hoped.name or found.suggestion in hoped.intents or found.suggestion in self._pack.contract.rails
        if found.suggestion and welcome:
            return Meaning(found.suggestion, certain=False, confidence=found.confidence)
        if hoped.free:
            return Meaning(TALK, certain=False, confidence=_FREE if self._is_language(normal) else _UNSURE)
        return Meaning(NOTHING, certain=False, confidence=_UNSURE)

    def _is_bare(self, normal: str, hoped: Hoped) -> bool:
        """Whether it is an answer to no question of this step: "yes please", "what", where something is to be told."""
        commands = self._pack.commands
        readings = commands.trimmed(normal) if normal.count(" ") < LONGEST_BARE else ()
        found = {one for text in readings for one in commands.claims(text)} & set(self._pack.contract.bare)
        # "Sorry" asks for a repetition, but not where somebody is about to say sorry.
        sorry = hoped.judge == "apology" and found == {"repeat"} and normal in commands.edges.openers
        return bool(found) and not sorry

    def _is_language(self, normal: str) -> bool:
        """Whether at least one word in eight is one that this pack knows: another language, or noise, is not."""
        words = normal.split()[:64]
        known = self._pack.known_words
        return sum(word in known for word in words) * 8 >= len(words)


def _outspoken(found: Found) -> bool:
    """Whether a time is named in passing, by somebody who wants no pause: "twenty minutes my foot"."""
    return found.suggestion in _DESPITE_A_TIME and found.confidence >= _OUTSPOKEN


def _nameable(when: When) -> bool:
    """A time that may stand in for `{time}` in a sentence: definite, ahead of us, and no lonely "two"."""
    return when.kind == "definite" and (when.seconds or 0.0) > 0 and not (when.bare and when.is_clock)


def _with_slot(normal: str, when: When) -> str:
    words = normal.split()
    begin, end = when.span
    return " ".join([*words[:begin], TIME, *words[end:]])


def _meaning(intent: str, slots: Mapping[str, str | int | float], when: When) -> Meaning:
    if not _nameable(when) and intent != "return_time":
        return Meaning(intent, dict(slots))
    if when.seconds is None or when.seconds <= 0:
        return Meaning(intent, dict(slots))
    seconds = round(when.seconds)
    return Meaning(intent, {**slots, "return_seconds": seconds}, return_seconds=float(seconds))


def _together(meaning: Meaning, found: Found) -> Meaning:
    return Meaning(
        meaning.intent,
        meaning.slots,
        meaning.certain,
        meaning.confidence,
        meaning.return_seconds,
        found.cues,
        found.apology,
        found.promise,
        found.request,
        found.past_as_weapon,
        found.safety,
    )


def as_json(text: str, meaning: Meaning) -> dict[str, object]:
    """The object that `understand --json` prints (design section 5); judgements that were not asked for are null."""
    apology, promise, request = meaning.apology, meaning.promise, meaning.request
    return {
        "text": text,
        "intent": meaning.intent,
        "certain": meaning.certain,
        "confidence": round(meaning.confidence, 3),
        "slots": dict(meaning.slots),
        "return_seconds": meaning.return_seconds,
        "cues": [{"kind": cue.kind, "confidence": round(cue.confidence, 3)} for cue in meaning.cues],
        "apology": None
        if apology is None
        else {
            "owned": apology.owned,
            "hedges": [{"kind": hedge.kind, "span": list(hedge.span)} for hedge in apology.hedges],
            "components": list(apology.components),
        },
        "promise": None if promise is None else {"observable": promise.observable, "missing": list(promise.missing)},
        "request": None if request is None else {"observable": request.observable, "missing": list(request.missing)},
        "past_as_weapon": meaning.past_as_weapon,
        "safety": meaning.safety,
    }


__all__ = ["Detectors", "Found", "Understanding", "Vocabulary", "as_json"]
