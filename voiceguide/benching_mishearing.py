"""What mishearing costs: sentences nobody tuned to, said by synthetic voices, through noise and rooms into the product's own
recogniser and understanding; and human recordings, in which nothing should be found.

The folder holds:

    manifest.csv  path and transcript of what is in speech/
    speech/       read sentences
    noise/        what sounds in a home
    room/         impulse responses
    packages/     (optional) more recordings of ordinary speech; NAME.txt beside NAME.wav is what was said

The same sentence is heard under each condition with the same voice, noise and room (a hash of it picks them), and its figure
"as text" stands beside: what a condition costs is the difference. The sentences are ours; nothing that a person said is kept.
"""

from __future__ import annotations

import csv
import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path

import numpy as np

from voiceguide.benching_sound import Speaker, echoing, noisy, number_of, padded, speakers
from voiceguide.benching_understanding import EVENING, answer_of, expectation_for
from voiceguide.benching_voice import SOUND_NAMES, Figure, Reader
from voiceguide.corpus import Example, read_corpus
from voiceguide.errors import UsageError
from voiceguide.language.judgements import Meaning
from voiceguide.language.understanding import Understanding
from voiceguide.runtime.guide import best_reading
from voiceguide.runtime.listening import Recogniser, Words
from voiceguide.runtime.ports import EAR_RATE, Expectation, Samples
from voiceguide.training import macro_f1

# Sentences of each kind: about a quarter of an hour on two cores of 2020, most of it the recogniser's.
SHARE: Mapping[tuple[str, bool], int] = {
    ("pause", True): 50, ("pause", False): 45, ("cue", True): 50, ("cue", False): 50,
    ("safety", True): 35, ("safety", False): 35, ("answer", True): 60, ("answer", False): 12,
}
SIGNAL_TO_NOISE = (20, 10, 5)  # decibels, active frames against active frames
TEXT, CLEAN, ROOM = "as text", "quiet", "room"
CONDITIONS = (CLEAN, *(f"noise {level} dB" for level in SIGNAL_TO_NOISE), ROOM)
READ_CONDITIONS = (CLEAN, "noise 10 dB", ROOM)  # for the human recordings
LONGEST = 20 * EAR_RATE  # samples: the ear hands a longer story over in pieces of this length
TALK = "talk"
NONE = "none"
SIGN, REQUEST, DANGER = "sign", "request", "danger"
LATE = 2.0  # seconds after which it shows how far it is

Hear = Callable[[Samples, Expectation], Words]


@dataclass(frozen=True, slots=True)
class Tools:
    """What the measuring needs from outside."""

    read: Reader
    hear: Hear
    speakers: Sequence[Speaker]
    understanding: Understanding
    language: str = "en"

    def expect(self, step: str) -> Expectation:
        """What the ear is told at the step of that name."""
        known = self.understanding.expectation(step)
        return Expectation(step, known.phrases, known.pattern, known.words)

    def meaning(self, text: str, closed: str | None, step: str) -> Meaning:
        """As the guide chooses it of the open and the closed reading."""
        mind = partial(_mind, self.understanding)
        return best_reading(mind, text, closed, step, EVENING)[1]


@dataclass(frozen=True, slots=True)
class Heard:
    """One sentence under one condition: the label it has and the one that the product gave, and its words that went wrong."""

    task: str
    label: str
    condition: str
    answer: str
    engine: str = ""
    words: int = 0
    wrong: int = 0
    found: str = ""  # SIGN, or what a guide would act on: REQUEST or DANGER


def _mind(understanding: Understanding, text: str, expected: str, moment: object) -> Meaning:
    del moment  # a fixed evening
    return understanding.understand(text, expected, EVENING)


def mishearing_figures(folder: Path, tools: Tools, sentences: Sequence[Example] | None = None) -> list[Figure]:
    """Every figure that `folder` allows for. Raises UsageError when there is neither noise nor a room, or no voice."""
    noises, rooms = (_sounds(folder / name, tools.read) for name in ("noise", "room"))
    if not noises or not rooms:
        raise UsageError("no_data", f"{folder} holds no noise or no room", hint="name a folder with noise/ and room/ with --data")
    if not tools.speakers:
        raise UsageError("no_voice", "nothing here can speak", hint="voiceguide doctor tells how to get a voice")
    around = Around(noises, rooms)
    chosen = sample(read_corpus(tools.language, ("test",))) if sentences is None else list(sentences)
    read = list(_recordings(folder))
    trials = [*_spoken(chosen, around, tools), *_read_out(read, around, tools)]
    heard = [one for trial in _shown(trials) if (one := trial()) is not None]
    said = [one for one in heard if one.task != READ]
    return [*_words_wrong(said), *_tasks(said), *_read_figures([one for one in heard if one.task == READ])]


def default_tools(stack: ExitStack, language: str = "en") -> Tools:
    """The product's own ear, in this process, and its own understanding; `stack` closes the voices. Raises ModelError."""
    from voiceguide.adapters.wavefile import read
    from voiceguide.assembly import Content
    from voiceguide.runtime.models import choose_ear

    choice = choose_ear(language)
    understanding = Content.load(language).understanding
    hear = heard_by(_recogniser(choice.engine, str(choice.folder), language))
    return Tools(read, hear, speakers(stack), understanding, language)


def _recogniser(engine: str, folder: str, language: str) -> Recogniser:
    if engine == "whisper":
        from voiceguide.adapters.whisper_ear import WhisperRecogniser

        return WhisperRecogniser(folder, language)
    from voiceguide.adapters.vosk_ear import VoskRecogniser
    from voiceguide.language.pack import Pack

    return VoskRecogniser(folder, Pack.load(language).known_words)


def heard_by(recogniser: Recogniser) -> Hear:
    """A whole utterance at a time, in pieces where the ear would hand it over in pieces."""

    def hear(samples: Samples, expectation: Expectation) -> Words:
        recogniser.begin(expectation)
        found = []
        for begin in range(0, max(len(samples), 1), LONGEST):
            piece = samples[begin : begin + LONGEST]
            for at in range(0, len(piece), EAR_RATE):
                recogniser.accept(piece[at : at + EAR_RATE])
            found.append(recogniser.finish(guess_holds=False))
        return found[0] if len(found) == 1 else Words(" ".join(one.text for one in found if one.text))

    return hear


# -- what is heard -----------------------------------------------------------------------------------------------------------


def sample(examples: Sequence[Example]) -> list[Example]:
    """SHARE of each kind, always the same: those whose hashes are the smallest."""
    groups: dict[tuple[str, bool], list[Example]] = {}
    for one in sorted(examples, key=lambda example: number_of(example.text)):
        groups.setdefault((one.task, one.label != NONE), []).append(one)
    return [one for kind, size in SHARE.items() for one in groups.get(kind, [])[:size]]


@dataclass(frozen=True, slots=True)
class Around:
    """What lies between a mouth and the ear: noises and impulse responses, at EAR_RATE."""

    noises: Sequence[Samples]
    rooms: Sequence[Samples]

    def under(self, condition: str, samples: Samples, number: int) -> Samples:
        """The sound under that condition; `number` picks noise, its beginning, and room."""
        if condition == ROOM:
            return echoing(samples, self.rooms[number % len(self.rooms)])
        if condition == CLEAN:
            return samples
        noise = self.noises[number % len(self.noises)]
        return noisy(samples, noise, float(condition.split()[1]), number // 97 % max(len(noise), 1))


Trial = Callable[[], "Heard | None"]  # None: no voice could say it
READ = "read"


def _spoken(chosen: Sequence[Example], around: Around, tools: Tools) -> Iterator[Trial]:
    """Each sentence as text and under each condition; engines and their ways take turns."""
    for place, one in enumerate(chosen):
        speaker = tools.speakers[place % len(tools.speakers)]
        way = speaker.ways[place // len(tools.speakers) % len(speaker.ways)]
        yield partial(_as_text, one, tools)
        said: list[Samples] = []
        for condition in CONDITIONS:
            yield partial(_through, one, Saying(speaker.engine, way, said), condition, around, tools)


@dataclass(frozen=True, slots=True)
class Saying:
    """Who says a sentence; `said` keeps its sound from one condition to the next."""

    engine: str
    way: Callable[[str], Samples]
    said: list[Samples]

    def sound(self, text: str) -> Samples:
        """Rendered once."""
        if not self.said:
            self.said.append(self.way(text))
        return self.said[0]


def _as_text(one: Example, tools: Tools) -> Heard:
    meaning = tools.meaning(one.text, None, expectation_for(one))
    return Heard(one.task, one.label, TEXT, answer_of(one.task, meaning), found=_found(meaning))


def _through(one: Example, saying: Saying, condition: str, around: Around, tools: Tools) -> Heard | None:
    step, sound = expectation_for(one), saying.sound(one.text)
    if not len(sound):
        return None
    samples = around.under(condition, padded(sound), number_of(one.text, "around"))
    words = tools.hear(samples, tools.expect(step))
    meaning = tools.meaning(words.text, words.closed, step)
    wrong, count = word_errors(_plain(one.text), _plain(words.text))
    return Heard(one.task, one.label, condition, answer_of(one.task, meaning), saying.engine, count, wrong, _found(meaning))


def _read_out(recordings: Sequence[Recording], around: Around, tools: Tools) -> Iterator[Trial]:
    for one in recordings:
        if one.text:
            yield partial(_as_read, one, tools)
        for condition in READ_CONDITIONS:
            yield partial(_recorded, one, condition, around, tools)


def _as_read(one: Recording, tools: Tools) -> Heard:
    return Heard(READ, one.group, TEXT, "", found=_found(tools.meaning(one.text, None, TALK)))


def _recorded(one: Recording, condition: str, around: Around, tools: Tools) -> Heard:
    samples = around.under(condition, padded(tools.read(one.path)), number_of(one.path.name, "around"))
    words = tools.hear(samples, tools.expect(TALK))
    meaning = tools.meaning(words.text, words.closed, TALK)
    wrong, count = word_errors(_plain(one.text), _plain(words.text)) if one.text else (0, 0)
    return Heard(READ, one.group, condition, "", "", count, wrong, _found(meaning))


def _found(meaning: Meaning) -> str:
    return REQUEST if meaning.intent == "pause" else DANGER if meaning.safety else SIGN if meaning.cues else ""


@dataclass(frozen=True, slots=True)
class Recording:
    """A sound file of ordinary speech; `text` is "" where nobody wrote down what was said."""

    path: Path
    group: str
    text: str = field(repr=False)


def _recordings(folder: Path) -> Iterator[Recording]:
    listing = folder / "manifest.csv"
    if listing.is_file():
        with listing.open(encoding="utf-8", newline="") as file:
            for row in csv.DictReader(file):
                if row["path"].startswith("speech/") and (folder / row["path"]).is_file():
                    yield Recording(folder / row["path"], "read sentences", row["transcript"])
    for path in sorted((folder / "packages").glob("**/*")):
        if path.suffix in SOUND_NAMES:
            written = path.with_suffix(".txt")
            yield Recording(path, "other recordings", written.read_text("utf-8") if written.is_file() else "")


def _sounds(folder: Path, read: Reader) -> list[Samples]:
    return [read(path) for path in sorted(folder.glob("**/*")) if path.suffix in SOUND_NAMES]


def _plain(text: str) -> list[str]:
    """Words as they are compared: lower case, letters and digits only."""
    kept = "".join(one if one.isalnum() or one.isspace() else "" if one in "'’" else " " for one in text.lower())
    return kept.split()


def word_errors(said: Sequence[str], heard: Sequence[str]) -> tuple[int, int]:
    """Words that were changed, left out or put in, at the least; and how many were said."""
    row = np.arange(len(heard) + 1)
    for place, word in enumerate(said, 1):
        changed = row[:-1] + np.array([word != other for other in heard], dtype=int)
        best = np.minimum(changed, row[1:] + 1)
        row = np.array([place, *best])
        for at in range(1, len(row)):
            row[at] = min(row[at], row[at - 1] + 1)
    return int(row[-1]), len(said)


def _shown(trials: Sequence[Trial]) -> Iterator[Trial]:
    """How far it is, on standard error, once it takes longer than LATE."""
    from tqdm import tqdm

    often = 0.5 if sys.stderr.isatty() else 30.0
    yield from tqdm(trials, desc="mishearing", unit="", delay=LATE, mininterval=often, file=sys.stderr)


# -- what it comes to --------------------------------------------------------------------------------------------------------


def _words_wrong(heard: Sequence[Heard]) -> list[Figure]:
    figures = []
    for engine in sorted({one.engine for one in heard if one.engine}):
        for condition in CONDITIONS:
            figures += _rate(f"words wrong, {engine}", condition,
                             [one for one in heard if one.engine == engine and one.condition == condition])
    return figures


def _rate(task: str, of: str, heard: Sequence[Heard]) -> list[Figure]:
    words = sum(one.words for one in heard)
    return [Figure(task, of, words, 100 * sum(one.wrong for one in heard) / words, "%")] if words else []


def _tasks(heard: Sequence[Heard]) -> list[Figure]:
    """For each task: what is found of what should be, and what is found where nothing is; as text and as heard."""
    rows: Sequence[tuple[str, str, bool, Callable[[Heard], bool]]] = (
        ("pause, of requests heard", "pause", True, lambda one: one.answer != NONE),
        ("pause, heard in look-alikes", "pause", False, lambda one: one.answer != NONE),
        ("danger, of risks heard", "safety", True, lambda one: one.answer != NONE),
        ("danger, heard in look-alikes", "safety", False, lambda one: one.answer != NONE),
        ("answers, right", "answer", True, lambda one: one.answer == one.label),
        ("ordinary talk, a sign found", "cue", False, lambda one: one.found == SIGN),
        ("ordinary talk, a request or danger", "cue", False, lambda one: one.found in (REQUEST, DANGER)),
    )
    figures = []
    for name, task, wanted, hit in rows:
        for condition in (TEXT, *CONDITIONS):
            chosen = [one for one in heard if (one.task, one.label != NONE, one.condition) == (task, wanted, condition)]
            if chosen:
                figures.append(Figure(name, condition, len(chosen), 100 * sum(map(hit, chosen)) / len(chosen), "%"))
    for condition in (TEXT, *CONDITIONS):
        chosen = [one for one in heard if (one.task, one.condition) == ("cue", condition)]
        if chosen:
            truth, given = ([("none" if label == NONE else "sign") for label in labels]
                            for labels in ([one.label for one in chosen], [one.answer for one in chosen]))
            figures.append(Figure("sign or none", condition, len(chosen), macro_f1(truth, given), "macro-F1"))
    return figures


def _read_figures(heard: Sequence[Heard]) -> list[Figure]:
    figures = []
    for group in sorted({one.label for one in heard}):
        for condition in (TEXT, *READ_CONDITIONS):
            chosen = [one for one in heard if (one.label, one.condition) == (group, condition)]
            figures += _rate(f"words wrong, {group}", condition, chosen)
            if chosen:
                signs, acts = (sum(one.found in kinds for one in chosen) for kinds in ((SIGN,), (REQUEST, DANGER)))
                figures.append(Figure(f"{group}, a sign found", condition, len(chosen), float(signs), "of them"))
                figures.append(Figure(f"{group}, a request or danger", condition, len(chosen), float(acts), "of them"))
    return figures
