"""What the guide would do in ordinary talk that was written down: how often it would ask, pause or end, per hour.

`bench talk --data FOLDER` reads every `*.txt` below FOLDER as one conversation of `speaker|words|…` lines (the form in which the
Switchboard telephone corpus is passed around) and lets the product listen: understanding with all detectors, then the fusion
of signs with its rests. Nobody in such talk wants a pause, so whatever the guide does is a mistake.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

from voiceguide.assembly import Content
from voiceguide.benching_understanding import EVENING, progress
from voiceguide.benching_voice import Figure
from voiceguide.core import figures, offers
from voiceguide.core.events import Heard
from voiceguide.core.fusion import Fusion
from voiceguide.errors import UsageError
from voiceguide.runtime.guide import heard_from

WORDS_PER_SECOND = 2.7  # on the telephone, both sides together: pauses and laughter counted in
_NOT_SAID = re.compile(r"[^a-z' ]+")
HOUR = 3600.0
AT_REST = "resting"  # what is hoped for while people just talk
ACTS, ASKS, ENDS, SIGNS = KINDS = ("a pause at once", "a question: shall we pause?", "an end for safety", "a sign in words")


def talk_figures(folder: Path, language: str = "en") -> list[Figure]:
    """Mistakes an hour, by kind. Raises UsageError where there is no conversation in `folder`."""
    content = Content.load(language)
    files = sorted(folder.rglob("*.txt"))
    seconds, counts = 0.0, Counter[str]()
    for file in progress(files, "conversations"):
        clock, fusion = 0.0, Fusion()
        for words in spoken_lines(file):
            took = len(words.split()) / WORDS_PER_SECOND
            clock += took
            meaning = content.understanding.understand(words, AT_REST, EVENING)
            fusion = _listen(heard_from(meaning, words, AT_REST, took, ()), fusion, clock, counts)
        seconds += clock
    if not seconds:
        raise UsageError("no_data", f"{folder} has no conversations in it", hint="*.txt, with lines of: speaker|words")
    of = f"{len(files)} conversations, {seconds / HOUR:.1f} hours"
    return [Figure(f"{name}, per hour", of, counts[name], counts[name] / seconds * HOUR, "") for name in KINDS]


def spoken_lines(file: Path) -> Iterator[str]:
    """What was said, as a recogniser prints it: lower case, words only; empty lines left out."""
    for line in file.read_text("utf-8", errors="replace").splitlines():
        _, bar, rest = line.partition("|")
        words = " ".join(_NOT_SAID.sub(" ", rest.partition("|")[0].lower()).split()) if bar else ""
        if words:
            yield words


def _listen(event: Heard, fusion: Fusion, clock: float, counts: Counter[str]) -> Fusion:
    """One utterance, as a session at rest takes it."""
    if any(cue.kind.startswith("safety.") for cue in event.cues):
        counts[ENDS] += 1
        return fusion
    if event.intent == "pause":
        counts[ACTS] += 1
        return fusion
    counts[SIGNS] += any(cue.kind != offers.SUGGESTED and cue.confidence >= figures.LEAST_CONFIDENCE for cue in event.cues)
    fusion, asks = offers.weigh(fusion, event.cues, clock)
    counts[ASKS] += asks
    return fusion
