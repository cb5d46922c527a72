"""Whisper (faster-whisper, tiny.en, int8) behind the same VAD and endpoint: no partials, no grammar, one decoding a silence.

Whisper always encodes 30 s, which costs up to a second on two cores whatever was said. Here only the seconds that hold sound
are encoded, and what the network makes of silence, encoded once at start, is laid behind them. The decoder sees the 30 s
that it was trained on: equal in accuracy (see `_encoded`), at a fifth of the time or less. The short piece alone would be as
quick and useless: the decoder then repeats itself without end.
"""

from __future__ import annotations

import zlib
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from voiceguide.adapters.child_ear import ChildEar
from voiceguide.adapters.spoken_form import SpokenForm
from voiceguide.errors import ModelError
from voiceguide.runtime.listening import Words, is_complete
from voiceguide.runtime.ports import EAR_RATE, Expectation

if TYPE_CHECKING:
    from collections.abc import Callable

    import numpy.typing as npt

    from voiceguide.runtime.ports import EarEvent, Samples

    Floats = npt.NDArray[np.float32]

THREADS = 2
_HINT = "Run scripts/fetch-models, then: voiceguide doctor"
_NEEDED = ("model.bin", "config.json", "tokenizer.json", "vocabulary.txt")
_SMALLEST_MODEL = 1_000_000  # bytes: less is the beginning of a download

_HOP = 160  # samples of a feature frame (10 ms)
_ALL_FRAMES = 3000  # 30 s: what the network was trained on
_STEP = 50  # feature frames: shapes that repeat are cheaper for the engine's allocator
_FEWEST_FRAMES = 300
_TAIL = 0.5  # seconds of silence behind the sound: short clips cut at the last phoneme lose it (measured: 65% -> 72%)

# Whisper's own bounds (Radford et al. 2022, section 4.5), the middle one tightened on 34 household noises, of which tiny.en
# hears "you" or "thank you" in 24: what lies outside was not said.
_LEAST_LOGPROB, _LEAST_LOGPROB_EVER = -1.0, -1.5
_NO_SPEECH = 0.5
_MOST_COMPRESSION = 2.4
_TOKENS, _TOKENS_A_SECOND, _MOST_TOKENS = 12, 9, 448  # fast speech has six words a second at most; more is a loop

_BEAM, _BEAM_SECONDS = 5, 10  # readings kept; above so many seconds of sound one: five would keep a weak board behind
_MARGIN = 0.8  # mean log probability that an expected answer may lie below the likeliest reading


class WhisperEar(ChildEar):
    """An `Ear` on a faster-whisper model folder."""

    name = "whisper"

    def __init__(self, model_dir: str | Path, language: str = "en") -> None:
        """Cheap; `open` looks at the folder."""
        self._path = Path(model_dir)
        super().__init__(WhisperRecogniser, (str(self._path), language), hint=_HINT)

    def open(self, on_event: Callable[[EarEvent], None]) -> None:
        """Raises ModelError: folder missing, half-unpacked, broken, or of another language."""
        check_folder(self._path)
        super().open(on_event)


def check_folder(path: Path) -> None:
    """Is this a whole model? Raises ModelError with one sentence."""
    if not path.is_dir():
        raise ModelError("model_missing", f"There is no whisper model folder {path.name}", hint=_HINT)
    lacking = [name for name in _NEEDED if not (path / name).is_file() or not (path / name).stat().st_size]
    if not lacking and (path / "model.bin").stat().st_size < _SMALLEST_MODEL:
        lacking = ["the rest of model.bin"]
    if lacking:
        raise ModelError("model_incomplete", f"The whisper model {path.name} lacks {', '.join(lacking)}", hint=_HINT)


@dataclass(frozen=True, slots=True)
class _Found:
    """Readings of one sound, the likeliest first, with their mean log probabilities."""

    texts: list[str] = field(repr=False)
    scores: list[float]
    no_speech: float
    looped: bool


class WhisperRecogniser:
    """A `Recogniser`. Lives in the child only."""

    streaming = False
    first_guess = 0.16

    def __init__(self, model_dir: str, language: str = "en") -> None:
        """Loads and warms the model (about 1.3 s, 260 MB). Raises ModelError for a language that it cannot hear."""
        import ctranslate2  # type: ignore[import-untyped]  # publishes no types
        from faster_whisper import WhisperModel
        from faster_whisper.tokenizer import Tokenizer

        model = WhisperModel(model_dir, device="cpu", compute_type="int8", cpu_threads=THREADS, local_files_only=True)
        several = bool(model.model.is_multilingual)
        if not several and language != "en":
            name = Path(model_dir).name
            raise ModelError("model_language", f"The whisper model {name} hears English only", hint="Choose another in settings")
        self._view = ctranslate2.StorageView.from_array
        self._engine: Any = model.model
        self._features: Any = model.feature_extractor
        task, tongue = ("transcribe", language) if several else (None, None)
        self._tokens: Any = Tokenizer(model.hf_tokenizer, several, task, tongue)
        self._spoken = SpokenForm(language)
        self._expectation = Expectation("")
        self._pieces: list[Samples] = []
        self._guess: Words | None = None
        self._silence = self._encoder(np.zeros(EAR_RATE, np.float32), _ALL_FRAMES)
        self.transcribe(np.zeros(EAR_RATE, np.int16))  # the first call allocates; nobody should wait for that

    def begin(self, expectation: Expectation) -> None:
        """Forget the last utterance."""
        self._expectation = expectation
        self._pieces.clear()
        self._guess = None

    def accept(self, samples: Samples) -> None:
        """Keep it (20 s at most come in one piece)."""
        self._pieces.append(samples)

    def guess(self) -> Words:
        """Decodes all there is (some 100 ms)."""
        self._guess = self.transcribe(np.concatenate(self._pieces) if self._pieces else np.zeros(0, np.int16))
        return self._guess

    def finish(self, *, guess_holds: bool) -> Words:
        """The last guess, if it holds; else all there is is decoded."""
        words = self._guess if guess_holds and self._guess is not None else self.guess()
        self._pieces.clear()
        self._guess = None
        return words

    def transcribe(self, samples: Samples) -> Words:
        """The words of up to 29 s. Empty where there was no speech, or nothing that can be relied on."""
        sound = np.concatenate([samples.astype(np.float32) / 32768.0, np.zeros(round(_TAIL * EAR_RATE), np.float32)])
        beam = _BEAM if len(sound) <= _BEAM_SECONDS * EAR_RATE else 1
        found = self._decoded(self._encoded(sound), beam, len(sound))
        if found.looped:  # once more, with all 30 s, as Whisper does it; a loop over noise stays a loop
            found = self._decoded(self._encoder(sound, _ALL_FRAMES), _BEAM, len(sound))
        text, score = found.texts[0], found.scores[0]
        if found.looped or score < _LEAST_LOGPROB_EVER or (found.no_speech > _NO_SPEECH and score < _LEAST_LOGPROB):
            return Words("", confidence=0.0)
        closed, sure = self._closed(found)
        return Words(text, closed, float(np.exp(score)), sure)

    def _closed(self, found: _Found) -> tuple[str | None, float]:
        """The likeliest reading that is a whole expected answer: a grammar for an engine that has none.

        Measured with the phrases of a step on 120 closed answers in two synthetic voices: 115 right and 1 wrong, against 103
        right by the first reading; none taken out of read sentences. Naming the phrases in Whisper's prompt instead gained
        less and made it hear them in dripping water ("in twenty minutes", 29 of 34 noises).
        """
        for text, score in zip(found.texts, found.scores, strict=True):
            if found.scores[0] - score <= _MARGIN and is_complete(self._expectation, text):
                return text, float(np.exp(score))
        return None, 0.0

    def _encoded(self, sound: Floats) -> Floats:
        """(1, 1500, 384): what holds sound, then silence as encoded at start.

        Measured on 120 closed answers in two synthetic voices: 103 right against 100 with all 30 s encoded; on 25 read
        sentences: word error rate 17.2% against 16.9%.
        """
        frames = -(-(len(sound) // _HOP + _STEP) // _STEP) * _STEP
        speech = self._encoder(sound, min(_ALL_FRAMES, max(_FEWEST_FRAMES, frames)))
        return np.concatenate([speech, self._silence[:, speech.shape[1] :]], axis=1)

    def _encoder(self, sound: Floats, frames: int) -> Floats:
        padded = np.pad(sound, (0, max(0, frames * _HOP - len(sound))))
        features = np.ascontiguousarray(self._features(padded)[None, :, :frames])
        return np.asarray(self._engine.encode(self._view(features), to_cpu=True))

    def _decoded(self, encoded: Floats, beam: int, samples: int) -> _Found:
        prompt = [*self._tokens.sot_sequence, self._tokens.no_timestamps]
        limit = _TOKENS + round(_TOKENS_A_SECOND * samples / EAR_RATE)
        (result,) = self._engine.generate(
            self._view(np.ascontiguousarray(encoded)),
            [prompt],
            beam_size=beam,
            num_hypotheses=beam,
            max_length=min(_MOST_TOKENS, limit + len(prompt)),
            return_scores=True,
            return_no_speech_prob=True,
            suppress_blank=True,
        )
        written = [self._tokens.decode(ids).strip() for ids in result.sequences_ids]
        packed = written[0].encode()
        looped = len(result.sequences_ids[0]) >= limit or len(packed) > _MOST_COMPRESSION * len(zlib.compress(packed))
        return _Found([self._spoken(text) for text in written], list(result.scores), float(result.no_speech_prob), looped)
