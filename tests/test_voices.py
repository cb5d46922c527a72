"""A voice that hangs, dies or writes nothing costs seconds, never the sentence, and never tells what the sentence was."""

from __future__ import annotations

import struct
import time

import numpy as np
import pytest

from tests import fake_engines
from voiceguide.adapters import pyttsx3_voice
from voiceguide.adapters.platform_voice import PlatformVoice
from voiceguide.adapters.pyttsx3_engine import SentenceWanted
from voiceguide.adapters.pyttsx3_voice import Pyttsx3Voice
from voiceguide.adapters.rendered_file import decode
from voiceguide.errors import VoiceError
from voiceguide.runtime.child import Build
from voiceguide.runtime.ports import Clip, Manner
from voiceguide.runtime.shaping import SENTENCE_PAUSE, STEADY_DB, active_db, even, joined, sentences

SECRET = "the neighbour knows"


class FakeTool(PlatformVoice):
    """The system's tool: two seconds per sentence, so that one can tell it from the engine."""

    def __init__(self) -> None:
        super().__init__("/usr/bin/espeak-ng")

    def render(self, text: str, voice: str, rate: int, pitch: int | None, seconds: float) -> Clip:
        return decode(fake_engines.tone(2.0))


@pytest.fixture(autouse=True)
def _shorter_limits(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(pyttsx3_voice, "FIRST_LIMIT", 0.5)


def test_sentences_are_joined_by_a_steady_pause_and_nothing_else() -> None:
    with Pyttsx3Voice(fake_engines.steady, lambda: None) as voice:
        clip = voice.render("One. Two? Three!", Manner())
    assert abs(clip.seconds - (3 + 2 * SENTENCE_PAUSE)) < 0.2


def test_a_sentence_that_hangs_is_spoken_by_the_next_child() -> None:
    with Pyttsx3Voice(fake_engines.hangs_once, FakeTool) as voice:
        began = time.monotonic()
        clip = voice.render("One.", Manner())
        assert time.monotonic() - began < pyttsx3_voice.RENDER_LIMIT
    assert 0.9 < clip.seconds < 2.1


@pytest.mark.parametrize("build", [fake_engines.dies, fake_engines.empty, fake_engines.absent])
def test_an_engine_that_cannot_is_replaced_by_the_systems_tool(build: Build) -> None:
    with Pyttsx3Voice(build, FakeTool) as voice:
        assert 1.9 < voice.render("One.", Manner()).seconds < 2.1


@pytest.mark.parametrize("build", [fake_engines.dies, fake_engines.empty])
def test_with_neither_it_is_a_voice_error_that_says_nothing_of_the_sentence(build: Build) -> None:
    with Pyttsx3Voice(build, lambda: None) as voice, pytest.raises(VoiceError) as caught:
        voice.render(SECRET, Manner())
    assert SECRET not in repr(caught.getrepr(style="long"))


def test_no_engine_and_no_tool_is_found_out_at_the_start() -> None:
    voice = Pyttsx3Voice(fake_engines.absent, lambda: None)
    with pytest.raises(VoiceError) as caught:
        voice.open()
    assert caught.value.code == "no_voice"
    assert caught.value.hint
    voice.close()


def test_a_request_never_shows_its_text() -> None:
    assert SECRET not in repr(SentenceWanted(SECRET, "gmw/en", 150))


def test_the_voice_asked_for_is_taken_else_the_best_of_the_language() -> None:
    with Pyttsx3Voice(fake_engines.steady, lambda: None) as voice:
        assert [known.id for known in voice.voices()] == [known.id for known in fake_engines.VOICES]
        assert voice.chosen(Manner(voice="gmw/en")) == "gmw/en"
        assert voice.chosen(Manner(voice="gmw/en+f3")) == "gmw/en+f3"
        assert voice.chosen(Manner(language="ko")) == "koreanic/ko"
        assert voice.chosen(Manner()).startswith("gmw/en-us")
        assert voice.chosen(Manner(voice="no such voice")) == voice.chosen(Manner())
        assert not voice.knows("no such voice")


def test_the_tool_is_never_given_the_sentence_on_its_command_line() -> None:
    tool = PlatformVoice("/bin/false")
    with pytest.raises(VoiceError) as caught:
        tool.render(SECRET, "", 150, None, 1.0)
    assert SECRET not in repr(caught.getrepr(style="long"))


# --- shaping -------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("text", "expected"), [
    ("All right. We come back at 8.20, and I call you both.", 2),
    ("We come back at 8 p.m. or so. Fine?", 2),
    ('He said: "Stop!" Then it was quiet', 2),
    ("One sentence", 1),
    ("  ", 0),
    ("네. 시작할까요? 좋아요!", 3),
    ("Well… let us see.", 1),
])
def test_a_prompt_is_split_where_a_reader_would_pause(text: str, expected: int) -> None:
    found = sentences(text)
    assert len(found) == expected
    assert " ".join(found).split() == text.split()


@pytest.mark.parametrize("loudness", [30, 300, 3_000, 32_000])
def test_every_clip_has_the_same_level_and_never_clips(loudness: int) -> None:
    rate = 22_050
    when = np.arange(rate) / rate
    bursts = loudness * np.sin(2 * np.pi * 180 * when) * (np.sin(2 * np.pi * 2 * when) > 0.6) ** 2
    clip = even(Clip(bursts.astype(np.int16), rate))
    assert abs(active_db(clip.samples, rate) - STEADY_DB) < 1.0
    assert np.abs(clip.samples.astype(int)).max() < 32_767


def test_volume_is_a_factor_and_zero_is_silence() -> None:
    clip = Clip((8000 * np.sin(np.arange(22_050) / 10)).astype(np.int16), 22_050)
    half, none = even(clip, 0.5), even(clip, 0.0)
    assert abs(active_db(half.samples, 22_050) - STEADY_DB + 6.02) < 0.3
    assert not none.samples.any()


def test_silence_around_a_sentence_is_taken_off() -> None:
    clip = even(decode(fake_engines.tone(1.0)))
    assert 1.0 <= clip.seconds < 1.1
    assert joined([clip, clip], 0.5).seconds == pytest.approx(2 * clip.seconds + 0.5, abs=0.001)


# --- what engines leave behind -------------------------------------------------------------------------------------------


def aiff(samples: list[int], rate: int, kind: bytes = b"") -> bytes:
    order = "<" if kind == b"sowt" else ">"
    exponent = rate.bit_length() - 1
    number = struct.pack(">HQ", 16383 + exponent, rate << (63 - exponent))
    common = struct.pack(">hIh", 1, len(samples), 16) + number + (kind + b"\0\0" if kind else b"")
    sound = bytes(8) + struct.pack(f"{order}{len(samples)}h", *samples)
    body = b"AIFC" if kind else b"AIFF"
    for name, chunk in ((b"COMM", common), (b"SSND", sound)):
        body += name + struct.pack(">I", len(chunk)) + chunk + b"\0" * (len(chunk) % 2)
    return b"FORM" + struct.pack(">I", len(body)) + body


@pytest.mark.parametrize("kind", [b"", b"NONE", b"sowt"])
def test_what_macos_writes_is_read_whatever_its_name(kind: bytes) -> None:
    clip = decode(aiff([1, -2, 300, -32768], 22_050, kind))
    assert (clip.samples.tolist(), clip.rate) == ([1, -2, 300, -32768], 22_050)


def test_a_pipes_endless_length_is_read_to_its_end() -> None:
    data = bytearray(fake_engines.tone(0.5))
    data[4:8] = data[40:44] = b"\xff\xff\xff\x7f"
    assert abs(decode(bytes(data)).seconds - 1.5) < 0.01


@pytest.mark.parametrize("data", [b"", b"RIFF", b"RIFFxxxxWAVE", b"FORMxxxxAIFF", b"\0" * 100, fake_engines.tone(1.0)[:44],
                                  b"MThd" + bytes(50)])
def test_what_is_no_finished_sound_is_refused(data: bytes) -> None:
    with pytest.raises(ValueError, match=r"RIFF|FORM|samples"):
        decode(data)
