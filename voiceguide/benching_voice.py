"""How well raised voices are told from calm ones, how often the voice alone fires on ordinary talk, and what it costs.

The folder holds sound files, 16 kHz or any rate that `read` converts:

    speech/   read sentences, one utterance a file, the speaker before the first "-" of the name
    meeting/  longer recordings of talk, cut here at pauses; speakers not known
    noise/    what is no speech
    acted/    a folder for each corpus that may be had, its files named as it names them (RAVDESS, EmoDB, CREMA-D, SAVEE), or
              SPEAKER-calm-NUMBER and SPEAKER-raised-NUMBER

Where `acted/` is missing, raised speech is *simulated* from the read sentences (level, tilt and pitch are lifted by amounts
drawn around what the literature and our measurements report), and the table says so: such a figure shows that the
arithmetic works and that nothing got worse; it is no evidence about people.
"""

from __future__ import annotations

import itertools
import random
import re
import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np

from voiceguide.runtime.baseline import Baseline, Usual, VoiceWatch, row_of
from voiceguide.runtime.ports import EAR_RATE, Prosody, Samples
from voiceguide.runtime.prosody import PitchTracker, is_speech, measure

Reader = Callable[[Path], Samples]
Spoken = Mapping[str, Sequence[Prosody]]

GAP = 1.0  # seconds between utterances of a made-up talk
ROUNDS = 8  # shuffles of the same sentences
LEARNT = 8  # calm utterances that make a baseline in the comparison
SOUND_NAMES = (".flac", ".wav")
# Spread within a speaker, spontaneous against read speech (measured): 4.6 / 1.4 dB, 3.5 / 1.9 semitones, 3.8 / 1.6 dB.
WIDER = {"level_db": 3.3, "pitch_st": 1.8, "pitch_high_st": 1.8, "tilt_db": 2.4}
RAISED = (("raised against calm", False), ("raised against calm, level-free", True))
# How corpora of acted speech name their files, which kinds in them are calm, and which are angry.
SCHEMES = (
    (re.compile(r"(?P<who>[^-]+)-(?P<kind>calm|raised)(-.*)?"), ("calm",), ("raised",)),
    (re.compile(r"03-01-(?P<kind>\d\d)-\d\d-\d\d-\d\d-(?P<who>\d\d)"), ("01", "02"), ("05",)),  # RAVDESS, speech
    (re.compile(r"(?P<who>\d\d)[ab]\d\d(?P<kind>[A-Z])[a-z]?"), ("N", "L"), ("W",)),  # EmoDB
    (re.compile(r"(?P<who>\d{4})_[A-Z]{3}_(?P<kind>[A-Z]{3})_[A-Z]{2}"), ("NEU",), ("ANG",)),  # CREMA-D
    (re.compile(r"(?P<who>[A-Z]{2})_(?P<kind>[a-z]+)\d\d"), ("n",), ("a",)),  # SAVEE
)
# Decibels and semitones that a raised voice gains over the same speaker's calm one: mean and spread. Level and tilt rise
# together (vocal effort); acted anger gains more than this, real quarrels are seldom recorded.
LIFT = {"level": (9.0, 3.0), "pitch": (4.0, 2.0), "tilt": (5.0, 2.5)}


@dataclass(frozen=True, slots=True)
class Figure:
    """One line of the table. `n`: utterances, or hours for rates. `of`: what the figure was measured on."""

    task: str
    of: str
    n: float
    value: float
    unit: str


def voice_figures(folder: Path, read: Reader, track: PitchTracker) -> list[Figure]:
    """Every figure that `folder` allows for. Raises FileNotFoundError when it holds no speech."""
    cost, seconds = 0.0, 0.0
    spoken: dict[str, list[Prosody]] = {}
    for path in _files(folder / "speech"):
        samples = read(path)
        seconds += len(samples) / EAR_RATE
        began = time.process_time()
        spoken.setdefault(path.stem.split("-")[0], []).append(measure(samples, track))
        cost += time.process_time() - began
    if not spoken:
        raise FileNotFoundError("no sound files in speech/")
    noise = [measure(read(path), track) for path in _files(folder / "noise")]
    return [
        *_separation(folder, read, track, spoken),
        *_fires(spoken, noise),
        *_noticed(spoken),
        *_meeting(folder, read, track),
        Figure("noise taken for speech", "noise", len(noise), 100.0 * sum(map(is_speech, noise)) / max(len(noise), 1), "%"),
        Figure("cost while somebody speaks", "read", seconds / 3600, 100.0 * cost / seconds, "% of a core"),
    ]


def as_table(figures: Iterable[Figure]) -> str:
    """The figures as a Markdown table."""
    lines = ["| task | measured on | n | value |", "|---|---|---|---|"]
    lines += [f"| {one.task} | {one.of} | {one.n:.3g} | {one.value:.3f} {one.unit} |".replace(" |", " |") for one in figures]
    return "\n".join(lines)


def area_under_curve(calm: Sequence[float], raised: Sequence[float]) -> float:
    """How often a raised utterance scores above a calm one; ties count half."""
    wins = sum((high > low) + 0.5 * (high == low) for high in raised for low in calm)
    return wins / (len(calm) * len(raised))


def lifted(prosody: Prosody, chance: random.Random) -> Prosody:
    """The same utterance as a raised voice might have said it (simulated, see the module's words)."""
    gain = {name: max(chance.gauss(*spread), 0.0) for name, spread in LIFT.items()}
    return replace(
        prosody,
        level_db=prosody.level_db + gain["level"],
        pitch_st=None if prosody.pitch_st is None else prosody.pitch_st + gain["pitch"],
        pitch_high_st=None if prosody.pitch_high_st is None else prosody.pitch_high_st + gain["pitch"],
        tilt_db=prosody.tilt_db + gain["tilt"],
    )


def livelier(said: Sequence[Prosody]) -> list[Prosody]:
    """Read speech spread out as widely as spontaneous speech (simulated): each feature's distance from its median grows."""
    usable = [one for one in said if is_speech(one)]
    middle = {name: float(np.median([getattr(one, name) for one in usable])) for name in WIDER}
    return [
        replace(one, **{name: middle[name] + by * (getattr(one, name) - middle[name]) for name, by in WIDER.items()})
        for one in usable
    ]


def _separation(folder: Path, read: Reader, track: PitchTracker, spoken: Spoken) -> list[Figure]:
    """Area under the curve, with each speaker's own calm speech as baseline; with the level, and without it."""
    acted = _acted(folder / "acted", read, track)
    if not acted:
        chance = random.Random(1)
        lively = {who: (list(said), [lifted(one, chance) for one in said]) for who, said in spoken.items()}
        acted = {"simulated from read": lively}
    figures = []
    for (of, pairs), (name, level_free) in itertools.product(acted.items(), RAISED):
        calm, raised = _scores(pairs, level_free=level_free)
        if calm and raised:
            figures.append(Figure(name, of, len(calm) + len(raised), area_under_curve(calm, raised), "AUC"))
    return figures


Pairs = dict[str, tuple[list[Prosody], list[Prosody]]]


def _acted(folder: Path, read: Reader, track: PitchTracker) -> dict[str, Pairs]:
    """Calm and angry utterances of each speaker, by corpus: the folder below acted/, "acted" for files beside those folders."""
    found: dict[str, Pairs] = {}
    for path in _files(folder):
        if (known := acted_as(path.stem)) is not None:
            who, raised = known
            corpus = "acted" if path.parent == folder else f"acted, {path.relative_to(folder).parts[0]}"
            found.setdefault(corpus, {}).setdefault(who, ([], []))[int(raised)].append(measure(read(path), track))
    return found


def acted_as(name: str) -> tuple[str, bool] | None:
    """Speaker, and whether the voice is angry (else calm: neutral, calm or bored), of a file called `name` without its ending;
    None for other emotions and for names of no known scheme."""
    for scheme, calm, raised in SCHEMES:
        if found := scheme.fullmatch(name):
            return (found["who"], found["kind"] in raised) if found["kind"] in (*calm, *raised) else None
    return None


def _scores(pairs: Mapping[str, tuple[list[Prosody], list[Prosody]]], *, level_free: bool) -> tuple[list[float], list[float]]:
    """Scores of calm and raised utterances; a calm one is never compared with a baseline that holds itself."""
    calm: list[float] = []
    raised: list[float] = []
    for still, loud in pairs.values():
        usable = [one for one in still if is_speech(one)]
        for index, one in enumerate(usable):
            others = usable[:index] + usable[index + 1 :]
            calm += _score(others, one, level_free=level_free)
        for one in filter(is_speech, loud):
            raised += _score(usable, one, level_free=level_free)
    return calm, raised


def _score(calm: Sequence[Prosody], one: Prosody, *, level_free: bool) -> list[float]:
    rows = tuple(row for row in map(row_of, calm) if row is not None)
    row = row_of(one)
    if row is None or len(rows) < LEARNT:
        return []
    usual = Usual(rows, seconds=sum(other.active_seconds for other in calm) + 60.0)
    return [usual.excess(row, level_free=level_free).score]


def _fires(spoken: Spoken, noise: Sequence[Prosody]) -> list[Figure]:
    """Fires an hour of the voice alone on calm talk put together from read sentences."""
    chance = random.Random(2)
    alone = [(said,) for said in spoken.values()]
    pairs = list(itertools.combinations(spoken.values(), 2))
    setups: list[tuple[str, Sequence[Sequence[Sequence[Prosody]]], bool, Sequence[Prosody]]] = [
        ("one speaker", alone, True, ()),
        ("couple, turns known", pairs, True, ()),
        ("couple, turns not known", pairs, False, ()),
        ("couple with kitchen noises", pairs, True, noise),
    ]
    figures = [_rate(name, _talks(talks, extra, chance), known=known) for name, talks, known, extra in setups if talks]
    lively = list(itertools.combinations(map(livelier, spoken.values()), 2))
    for known, name in ((True, "couple, turns known"), (False, "couple, turns not known")):
        if lively:
            figures.append(replace(_rate(name, _talks(lively, (), chance), known=known), of="read, spread as spontaneous"))
    return figures


def _noticed(spoken: Spoken) -> list[Figure]:
    """Of raised minutes (simulated) that follow calm ones: how many are noticed, and after how many seconds."""
    chance = random.Random(3)
    figures = []
    kinds: tuple[tuple[str, Callable[[Sequence[Prosody]], list[Prosody]], bool], ...] = (
        ("simulated from read", list, False),
        ("simulated, spread as spontaneous", livelier, False),
        ("simulated, gain control", list, True),
    )
    for of, spread, flat in kinds:
        delays: list[float] = []
        tries = 0
        for said in map(spread, spoken.values()):
            for _ in range(4 * ROUNDS):
                watch, at = VoiceWatch(), 0.0
                for one in chance.choices(said, k=30):
                    at += one.active_seconds + GAP
                    watch, _cues = watch.heard(_levelled(one, chance) if flat else one, at)
                raised = [lifted(one, chance) for one in chance.choices(said, k=20)]
                tries += 1
                delays += _delay(watch, [_levelled(one, chance) for one in raised] if flat else raised, at)
        figures.append(Figure("raised minutes noticed", of, tries, 100.0 * len(delays) / tries, "%"))
        figures.append(Figure("median delay", of, len(delays), float(np.median(delays)) if delays else 0.0, "s"))
    return figures


def _levelled(prosody: Prosody, chance: random.Random) -> Prosody:
    """The same utterance through a microphone that makes every one of them equally loud."""
    return replace(prosody, level_db=chance.gauss(-20.0, 0.3))


def _delay(watch: VoiceWatch, raised: Sequence[Prosody], start: float) -> list[float]:
    """Seconds until the first cue within a minute of raised speech; empty when there was none."""
    at = start
    for one in raised:
        at += one.active_seconds + GAP
        if at - start > 60.0:
            break
        watch, cues = watch.heard(one, at)
        if any(cue.kind == "voice.raised" for cue in cues):
            return [at - start]
    return []


Talk = list[tuple[Prosody, int]]


def _talks(groups: Sequence[Sequence[Sequence[Prosody]]], noise: Sequence[Prosody], chance: random.Random) -> list[Talk]:
    """Shuffled talks: each group's sentences three times over, speakers mixed, a noise after one sentence of five."""
    talks: list[Talk] = []
    for group, _ in itertools.product(groups, range(ROUNDS)):
        talk = [(one, who) for who, said in enumerate(group) for one in said] * 3
        chance.shuffle(talk)
        if noise:
            talk = [part for one in talk for part in ((one, (chance.choice(noise), one[1])) if chance.random() < 0.2 else (one,))]
        talks.append(talk)
    return talks


def _rate(name: str, talks: Sequence[Talk], *, known: bool) -> Figure:
    fires, at = 0, 0.0
    for talk in talks:
        watch, start = VoiceWatch(), at
        for prosody, who in talk:
            at += prosody.active_seconds * 1.25 + GAP  # pauses inside a sentence are a quarter of its speech
            watch, cues = watch.heard(prosody, at - start, who if known else None)
            fires += sum(cue.kind == "voice.raised" for cue in cues)
    hours = at / 3600
    return Figure(f"fires by the voice alone, {name}", "read, shuffled", hours, fires / hours, "an hour")


def _meeting(folder: Path, read: Reader, track: PitchTracker) -> list[Figure]:
    """Fires an hour on talk as it was recorded, cut at pauses of half a second, speakers not known."""
    fires, hours = 0, 0.0
    for path in _files(folder / "meeting"):
        samples, watch = read(path), VoiceWatch(Baseline())
        for start, end in cut(samples):
            watch, cues = watch.heard(measure(samples[start:end], track), end / EAR_RATE)
            fires += sum(cue.kind == "voice.raised" for cue in cues)
        hours += len(samples) / EAR_RATE / 3600
    return [Figure("fires by the voice alone", "meeting", hours, fires / hours, "an hour")] if hours else []


def cut(samples: Samples, pause: float = 0.5) -> list[tuple[int, int]]:
    """Utterances as (start, end) samples: sound above the recording's own floor, ended by `pause` seconds below it."""
    size = EAR_RATE // 50
    count = len(samples) // size
    frames = samples[: count * size].reshape(count, size).astype(np.float64)
    level = 10.0 * np.log10(np.mean(frames**2, axis=1) + 1.0)
    if count == 0:
        return []
    border = (np.percentile(level, 10) + np.percentile(level, 95)) / 2.0 - 3.0
    found: list[tuple[int, int]] = []
    for at in np.flatnonzero(level > border):
        start, end = int(at) * size, (int(at) + 1) * size
        if found and start - found[-1][1] < pause * EAR_RATE:
            found[-1] = (found[-1][0], end)
        else:
            found.append((start, end))
    return [(start, end) for start, end in found if end - start >= EAR_RATE // 2]


def _files(folder: Path) -> list[Path]:
    return sorted(path for path in folder.glob("**/*") if path.suffix in SOUND_NAMES)
