"""How soon the guide answers: a short talk of closed answers, played to the product in real time, read from its two channels.

The talk is made of lines of the shipped examples: a pause is called, then times are named one after the other, each of which
the guide says back. Nothing is simulated: the real recogniser, the real voice, the clock on the wall.
"""

from __future__ import annotations

import shutil
import subprocess
import sys
import tempfile
import wave
from pathlib import Path

import numpy as np
import numpy.typing as npt

from voiceguide.benching_voice import Figure
from voiceguide.errors import UsageError, VoiceguideError
from voiceguide.runtime.models import choose_ear
from voiceguide.runtime.ports import Samples

EXAMPLES = Path(__file__).parent / "content" / "examples"
OPENING, ANSWERS = "04.flac", ("05.flac", "12.flac")  # in every example: the pause is called; a time is named; another
ROUNDS = 6  # times that both are named: 12 closed answers
QUIET = 1.0  # seconds that a partner waits before answering
FRAME_SECONDS = 0.01
ABOVE_FLOOR = 12.0  # decibels over the softest tenth of a channel: somebody speaks
QUIETEST = -55.0  # decibels re full scale: below it nobody speaks, however silent the rest
HANGOVER = 0.25  # seconds of quiet that end an utterance: longer than the gaps inside words, shorter than an endpoint
ANSWER_WITHIN = 5.0  # seconds: a later word of the guide is no answer
SHORTEST_WORD = 0.15  # seconds of unbroken sound: the earcon "heard" lasts half of it, no syllable is that short
WORD_GAP = 0.02  # seconds: what is apart by more are two sounds


def answer_gaps(heard: Samples, said: Samples, rate: int) -> list[float]:
    """Seconds from each end of a partner's speech to the guide's first word, from two aligned channels (mono int16, shape (n,)).

    Only answers within ANSWER_WITHIN that nobody talked into count; an earcon is no answer."""
    words = [(begin, end) for begin, end in stretches(said, rate, WORD_GAP) if end - begin >= SHORTEST_WORD]
    return _gaps(heard, [begin for begin, _ in words], rate)


def sign_gaps(heard: Samples, said: Samples, rate: int) -> list[float]:
    """The same to the first sound of any kind: the earcon "heard" where it sounds, else the answer itself."""
    return _gaps(heard, [begin for begin, _ in stretches(said, rate, WORD_GAP)], rate)


def _gaps(heard: Samples, onsets: list[float], rate: int) -> list[float]:
    spoken = stretches(heard, rate)
    ends, begins = [end for _, end in spoken], [begin for begin, _ in spoken]
    gaps = []
    for onset in onsets:
        before = [end for end in ends if end <= onset]
        if not before or onset - before[-1] > ANSWER_WITHIN:
            continue
        if not any(before[-1] < begin < onset for begin in begins):
            gaps.append(onset - before[-1])
            ends = [end for end in ends if end > onset]  # the second sentence of an answer is no second answer
    return gaps


def stretches(samples: Samples, rate: int, hangover: float = HANGOVER) -> list[tuple[float, float]]:
    """Where somebody speaks: (begin, end) in seconds, 10 ms fine, gaps up to `hangover` seconds closed."""
    size = int(rate * FRAME_SECONDS)
    frames = samples[: len(samples) // size * size].reshape(-1, size).astype(np.float64)
    if not len(frames):
        return []
    level: npt.NDArray[np.float64] = 10 * np.log10(np.mean(frames**2, axis=1) / 32768.0**2 + 1e-12)
    loud = np.flatnonzero(level > max(float(np.percentile(level, 10)) + ABOVE_FLOOR, QUIETEST))
    if not len(loud):
        return []
    breaks = np.flatnonzero(np.diff(loud) > hangover / FRAME_SECONDS)
    first = loud[np.concatenate(([0], breaks + 1))]
    last = loud[np.concatenate((breaks, [len(loud) - 1]))]
    return [(float(begin) * FRAME_SECONDS, float(end + 1) * FRAME_SECONDS) for begin, end in zip(first, last, strict=True)]


def latency_figures(data: Path | None) -> list[Figure]:
    """From the file `data`, or, without one, from a talk recorded now in each language that has an example and an ear.

    Raises UsageError: no such file, no answer in it, nothing that can listen."""
    if data is not None:
        return _figures(data, data.name)
    figures: list[Figure] = []
    for folder in sorted(EXAMPLES.iterdir()):
        try:
            engine = choose_ear(folder.name).engine
        except VoiceguideError:
            continue  # a part that is not there is left out, never guessed
        with tempfile.TemporaryDirectory() as place:
            out = Path(place) / "out.wav"
            _record(folder, Path(place), out)
            figures += _figures(out, f"{engine}, {folder.name}")
    if not figures:
        raise UsageError("no_ear", "no recogniser's model is there", hint="fetch one first: scripts/fetch-models")
    return figures


def _record(example: Path, place: Path, out: Path) -> None:
    """Play the talk to `voiceguide run` in real time (about two minutes)."""
    files = [OPENING, *ANSWERS * ROUNDS]
    for name in set(files):
        shutil.copy(example / name, place / name)
    parts = "".join(f'  {{ file = "{name}", after = {QUIET} }},\n' for name in files)
    (place / "parts.toml").write_text(f"part = [\n{parts}]\n", "utf-8")
    command = [sys.executable, "-m", "voiceguide", "run", "--language", example.name, "--audio", str(place), "--out", str(out)]
    ran = subprocess.run(command, capture_output=True, text=True, check=False)
    if ran.returncode:
        raise UsageError("no_recording", f"the talk in {example.name} could not be played", hint="see: voiceguide doctor")


def _figures(file: Path, name: str) -> list[Figure]:
    heard, said, rate = _channels(file)
    answers, signs = answer_gaps(heard, said, rate), sign_gaps(heard, said, rate)
    if not answers:
        raise UsageError("no_answers", f"{file.name} has no answer of the guide in it", hint="record a talk with --out first")
    of = f"{name}, end of speech to first word"
    found = [Figure(f"answer, {one}", of, len(answers), float(np.percentile(answers, share)), "s")
             for one, share in (("median", 50), ("95th percentile", 95), ("slowest", 100))]
    of = f"{name}, end of speech to first sound"
    found += [Figure(f"sign, {one}", of, len(signs), float(np.percentile(signs, share)), "s")
              for one, share in (("median", 50), ("95th percentile", 95))]
    return found


def _channels(file: Path) -> tuple[Samples, Samples, int]:
    try:
        with wave.open(str(file), "rb") as source:
            if source.getnchannels() != 2 or source.getsampwidth() != 2:
                raise UsageError("not_two_channels", f"{file.name} has not two channels of 16 bits", hint="record it with --out")
            frames = np.frombuffer(source.readframes(source.getnframes()), np.int16).reshape(-1, 2)
            return frames[:, 0], frames[:, 1], source.getframerate()
    except (wave.Error, EOFError, OSError) as cause:
        raise UsageError("no_recording", f"{file.name} is no WAV file ({cause})", hint="record it with --out") from None
