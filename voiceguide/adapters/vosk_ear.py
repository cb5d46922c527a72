"""Vosk: a closed recogniser (what is expected now) and an open one, side by side on one model, in a child process.

Wrong calls abort the process (voice-stack, section 2.2), so: one thread, a new recogniser for a new expectation, `Result()`
on every True, words checked before they become a grammar, no `SetGrammar`, no empty grammar.
"""

from __future__ import annotations

import json
import re
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Protocol, cast

from voiceguide.adapters.child_ear import ChildEar
from voiceguide.core.effects import Patience
from voiceguide.errors import ModelError
from voiceguide.runtime.listening import Words, is_complete
from voiceguide.runtime.ports import EAR_RATE
from voiceguide.runtime.supervisor import Worker, WorkerLost

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from voiceguide.runtime.child import Handler, Tell
    from voiceguide.runtime.ports import EarEvent, Expectation, Samples

UNKNOWN = "[unk]"  # Vosk's own mark for a word outside the grammar
_BRACKETED = re.compile(r"\[(\d+)\]")  # how the Korean model writes a number that it heard as a word
_QUIET = -2  # log level: warnings off too ("Ignoring word missing in vocabulary" would print words of the pack)
_UNKNOWN_CONFIDENCE = 0.5  # of a partial: Vosk gives none
_LONGEST_USE = 10 * 60 * EAR_RATE  # samples after which a recogniser is replaced: Kaldi keeps the sound of ten minutes
_OTHER_LANGUAGE = 0.5  # share of the pack's words that are missing when a model speaks another language
_HINT = "Run scripts/fetch-models, then: voiceguide doctor"
_OTHER_HINT = "Put a model of your language in its place (see models/README.md), or choose its language with --language"
# What a model needs in one of its two shapes: a static graph, or a look-ahead graph that takes grammars at run time.
_ALWAYS = ("am/final.mdl", "conf/mfcc.conf", "conf/model.conf")
_GRAPHS = (("graph/HCLr.fst", "graph/Gr.fst"), ("graph/HCLG.fst",))
_SPEAKER = ("final.ie", "final.dubm", "final.mat", "global_cmvn.stats", "online_cmvn.conf", "splice.conf")


class _Kaldi(Protocol):
    """The part of vosk.KaldiRecognizer that is used."""

    def AcceptWaveform(self, data: bytes) -> int: ...  # noqa: N802 - Vosk's names
    def Reset(self) -> None: ...  # noqa: N802
    def Result(self) -> str: ...  # noqa: N802
    def PartialResult(self) -> str: ...  # noqa: N802
    def FinalResult(self) -> str: ...  # noqa: N802
    def SetWords(self, enable: bool) -> None: ...  # noqa: N802


class VoskEar(ChildEar):
    """An `Ear` on a Vosk model folder. `vocabulary`: every word of the language pack, to notice a foreign model."""

    name = "vosk"

    def __init__(self, model_path: str | Path, vocabulary: Iterable[str] = ()) -> None:
        """Cheap; `open` looks at the folder."""
        self._path, self._vocabulary = Path(model_path), frozenset(vocabulary)
        super().__init__(VoskRecogniser, (str(self._path), self._vocabulary), hint=_HINT)

    def open(self, on_event: Callable[[EarEvent], None]) -> None:
        """Raises ModelError: folder missing, half-unpacked, broken, or of another language."""
        check_folder(self._path)
        super().open(on_event)


def check_folder(path: Path) -> None:
    """Is this a whole Vosk model? Raises ModelError with one sentence."""
    if not path.is_dir():
        raise ModelError("model_missing", f"There is no Vosk model folder {path.name}", hint=_HINT)
    needed = [*_ALWAYS]
    if (path / "ivector").is_dir():
        needed += [f"ivector/{name}" for name in _SPEAKER]
    lacking = [name for name in needed if not _filled(path / name)]
    if not any(all(_filled(path / name) for name in graph) for graph in _GRAPHS):
        lacking.append("graph")
    if lacking:
        raise ModelError(
            "model_incomplete", f"The Vosk model {path.name} is incomplete: {', '.join(lacking)} missing or empty", hint=_HINT
        )


def _filled(path: Path) -> bool:
    return path.is_file() and path.stat().st_size > 0


def missing_words(model_path: str | Path, words: Iterable[str]) -> frozenset[str]:
    """Which of these words the model cannot hear, ever (for `doctor`; loads the model in a child, seconds). ModelError."""
    path = Path(model_path)
    check_folder(path)
    worker = Worker("vosk-words", serve_words, (str(path),))
    try:
        worker.start()
        return cast("frozenset[str]", worker.call(frozenset(words), 30.0))
    except WorkerLost as lost:
        raise ModelError("model_broken", f"The Vosk model {path.name} cannot be loaded", hint=_HINT) from lost
    finally:
        worker.close()


def serve_words(model_path: str) -> Handler:
    """The child's side of `missing_words`."""
    recogniser = VoskRecogniser(model_path)

    def handle(request: object, _tell: Tell) -> object:
        return frozenset(word for word in cast("frozenset[str]", request) if not recogniser.pieces(word))

    return handle


class VoskRecogniser:
    """A `Recogniser`. Lives in the child only.

    Languages that join their words (Korean) have models of word pieces: a word that is not in the vocabulary is expected as
    the fewest pieces that are. A whole expected phrase is written as it was expected; in anything else the pieces show
    ("잠깐 만"), so who compares must not mind spaces.
    """

    streaming = True
    first_guess = 0.1

    def __init__(self, model_path: str, vocabulary: Iterable[str] = ()) -> None:
        """Loads the model (small: below a second; Korean: 2.6 s, 570 MB). Raises ModelError for a foreign vocabulary."""
        import vosk

        vosk.SetLogLevel(_QUIET)
        self._vosk = vosk
        self._model = vosk.Model(model_path)
        self._unknown = [UNKNOWN] if self.knows(UNKNOWN) else []
        self._expectation: Expectation | None = None
        self._used = 0
        self._open: _Kaldi | None = None
        self._closed: _Kaldi | None = None
        self._parts: tuple[list[str], list[str]] = ([], [])
        self._cut: dict[str, str] = {}
        self._whole: dict[str, str] = {}
        words = list(vocabulary)
        foreign = [word for word in words if not self.pieces(word)]
        if words and len(foreign) > _OTHER_LANGUAGE * len(words):
            name = Path(model_path).name
            raise ModelError("model_language", f"The Vosk model {name} is of another language", hint=_OTHER_HINT)

    def pieces(self, word: str) -> str:
        """`word` as the model knows it: itself, or the fewest known pieces of it with spaces between; "" for none at all."""
        if self.knows(word):
            return word
        if word not in self._cut:
            # A Hangul letter is a syllable, so a cut between two of them leaves the sound as it was. Elsewhere it would not.
            self._cut[word] = " ".join(_fewest(word, self.knows)) if all("가" <= one <= "힣" for one in word) else ""
        return self._cut[word]

    def knows(self, word: str) -> bool:
        """Is it in the model's vocabulary?"""
        return bool(self._model.vosk_model_find_word(word) >= 0)

    def begin(self, expectation: Expectation) -> None:
        """New recognisers for a new expectation; kept within one, as they adapt to the voice."""
        if expectation != self._expectation or self._open is None or self._used > _LONGEST_USE:
            self._expectation, self._used = expectation, 0
            self._open = self._made(None)
            grammar = self._grammar(expectation)
            self._closed = self._made(json.dumps(grammar, ensure_ascii=False)) if grammar else None
        self._parts = ([], [])

    def accept(self, samples: Samples) -> None:
        """Feeds both. `Result()` on every True, or memory and time grow for ever (voice-stack, section 2.4)."""
        self._used += len(samples)
        data = samples.tobytes()
        for kaldi, parts in zip((self._open, self._closed), self._parts, strict=True):
            if kaldi is not None and kaldi.AcceptWaveform(data):
                parts.append(kaldi.Result())

    def guess(self) -> Words:
        """Both partials."""
        return self._words(*(None if kaldi is None else kaldi.PartialResult() for kaldi in (self._open, self._closed)))

    def finish(self, *, guess_holds: bool) -> Words:
        """Both finals; the recognisers are then ready for the next utterance or the rest of this one.

        A whole expected answer does not wait for the open one's final (200 ms and more with the Korean model): there its
        partial stands beside the answer as a second opinion.
        """
        kaldi, closed = self._open, None if self._closed is None else self._closed.FinalResult()
        if kaldi is None:
            return Words()
        words = self._words(kaldi.PartialResult() if guess_holds else None, closed)
        if guess_holds and words.closed is not None and self._expected(words.closed):
            kaldi.Reset()
            words = replace(words, confidence=_UNKNOWN_CONFIDENCE)
        else:
            words = self._words(kaldi.FinalResult(), closed)
        self._parts = ([], [])
        return words

    def _expected(self, text: str) -> bool:
        expectation = self._expectation
        return expectation is not None and expectation.patience is Patience.CLOSED and is_complete(expectation, text)

    def _made(self, grammar: str | None) -> _Kaldi:
        arguments = (self._model, EAR_RATE) if grammar is None else (self._model, EAR_RATE, grammar)
        kaldi = cast("_Kaldi", self._vosk.KaldiRecognizer(*arguments))
        kaldi.SetWords(True)
        return kaldi

    def _grammar(self, expectation: Expectation) -> list[str]:
        # A word that the model lacks is dropped from its phrase and the rest could match alone: leave out the whole phrase.
        expected = (*sorted(expectation.phrases), *sorted(expectation.words))
        cut = ([self.pieces(word) for word in phrase.split()] for phrase in expected)
        self._whole = {" ".join(pieces): phrase for phrase, pieces in zip(expected, cut, strict=True) if pieces and all(pieces)}
        return [*self._whole, *self._unknown] if self._whole else []

    def _words(self, open_last: str | None, closed_last: str | None) -> Words:
        text, confidence = _joined([*self._parts[0], open_last])
        closed, closed_confidence = _joined([*self._parts[1], closed_last])
        closed = self._whole.get(closed, closed)
        heard = any(word != UNKNOWN for word in closed.split())
        return Words(text, closed if heard else None, confidence, closed_confidence if heard else 0.0)


def _fewest(word: str, knows: Callable[[str], bool]) -> tuple[str, ...]:
    """The fewest known pieces that make up `word`, longer ones first; () when there are none."""
    best: dict[int, tuple[str, ...]] = {len(word): ()}
    for begin in range(len(word) - 1, -1, -1):
        ends = [end for end in range(len(word), begin, -1) if end in best and knows(word[begin:end])]
        if ends:
            end = min(ends, key=lambda end: len(best[end]))
            best[begin] = (word[begin:end], *best[end])
    return best.get(0, ())


def _joined(results: list[str | None]) -> tuple[str, float]:
    """The text of several results in order, and the mean confidence of their words (1.0 in partials: Vosk gives none)."""
    texts, sure = [], []
    for result in results:
        if result is not None:
            value = json.loads(result)
            texts.append(value.get("text") or value.get("partial") or "")
            sure += [word["conf"] for word in value.get("result", ())]
    return _BRACKETED.sub(r"\1", " ".join(filter(None, texts))), sum(sure) / len(sure) if sure else 1.0
