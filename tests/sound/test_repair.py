"""The whole repair on real sound: two synthetic voices, the real recogniser, the real voice, and a week that passes."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from voiceguide.ledgers import read
from voiceguide.runtime import models
from voiceguide.runtime.store import FILE

TALK = Path(__file__).parent / "data" / "repair"
WHISPER = models.inspect(models.find("whisper-tiny.en")).health is models.Health.READY

pytestmark = [
    pytest.mark.sound,
    pytest.mark.skipif(not WHISPER, reason="the whisper model is not fetched"),
    pytest.mark.skipif(shutil.which("espeak-ng") is None, reason="no espeak-ng on this machine"),
]

FIRST_USE = """hello limits not_for kept consent_first consent_second name_first name_first_ok name_second name_second_ok named
    done"""
HEARD_BOTH = """here ready frame free who tell say_back got_it missing say_back_bit got_it more breath
    tell_other say_back got_it more"""
SORRY = "fear fear_is.reliability sorry deed hurt part mend.reliability settle"
ANSWERS = "question answer answered question_next request request_ok request_can"
PROMISE = "promise.reliability promise_twice promise_ok promise_kept"
# The phrase is misheard ("call suit"): they say no to what is read back, and say it again in more words.
NEXT_TIME = """pattern pattern_other pattern_name pattern_ok pattern_ok_other pattern_kept
    phrase phrase_ok phrase phrase_ok phrase_kept checkin"""
STORY = [
    "open.welcome",
    *(f"setup.{step}" for step in FIRST_USE.split()),
    *(f"repair.{step}" for step in f"{HEARD_BOTH} {SORRY} {ANSWERS} {PROMISE} {NEXT_TIME}".split()),
    *("talk.booked_week", "talk.close", "promises.one"),
    *(f"follow_up.{step}" for step in ("called", "read", "kept.reliability", "counted", "again")),
    "talk.close",
]
WEEK = 602_400  # seconds from the start to seven o'clock, seven days later
TOLD = ("guest", "ashamed", "forward", "drawer", "phone")  # what was told, and is nobody's business


@dataclass(frozen=True)
class Evening:
    """One run of the product on the recorded couple."""

    data: Path
    trace: str
    printed: str

    @property
    def events(self) -> list[dict[str, Any]]:
        return [json.loads(line) for line in self.trace.splitlines()]

    @property
    def said(self) -> list[dict[str, Any]]:
        return [event for event in self.events if event["what"] == "said"]


@pytest.fixture(scope="module")
def evening(tmp_path_factory: pytest.TempPathFactory) -> Evening:
    folder = tmp_path_factory.mktemp("evening")
    data, trace = folder / "data", folder / "trace.jsonl"
    command = [sys.executable, "-m", "voiceguide", "run", "--audio", str(TALK), "--fast", "--start", "2026-03-10T19:40"]
    command += ["--data", str(data), "--trace", str(trace), "--ear", "whisper", "--captions"]
    done = subprocess.run(command, env={**os.environ, "TZ": "UTC"}, capture_output=True, text=True, timeout=900, check=False)
    assert done.returncode == 0, done.stderr
    return Evening(data, trace.read_text("utf-8"), done.stdout)


def test_the_whole_talk_runs_on_real_sound(evening: Evening) -> None:
    assert [event["prompt"] for event in evening.said] == STORY, evening.printed


def test_nobody_has_to_be_asked_twice(evening: Evening) -> None:
    assert [(e["prompt"], e["wording"]) for e in evening.said if e["wording"]] == [], evening.printed


def test_the_check_in_opens_by_itself_a_week_later(evening: Evening) -> None:
    called = next(event["at"] for event in evening.said if event["prompt"] == "follow_up.called")
    assert WEEK <= called < WEEK + 1


def test_what_was_agreed_is_kept(evening: Evening) -> None:
    kept = {entry.kind: entry.values for entry in read(evening.data / FILE).entries}
    assert kept["promise"]["text"] == "when i see that i will be late i will text you before six"
    assert kept["promise"]["theme"] == "reliability"
    assert kept["pattern"]["text"] == "the quiet kitchen"
    assert kept["phrase"]["text"].endswith("soup on sunday")
    assert "text me before six" in kept["request"]["text"]
    assert "kept" in kept
    shown = subprocess.run(
        [sys.executable, "-m", "voiceguide", "promises", "--data", str(evening.data)], capture_output=True, text=True, check=True
    )
    assert "I will text you before six" in shown.stdout


def test_what_was_told_is_nowhere_on_disk(evening: Evening) -> None:
    disk = b"".join(path.read_bytes() for path in evening.data.rglob("*") if path.is_file()).lower()
    assert b"quiet kitchen" in disk, "this looks where words are kept"
    for word in TOLD:
        assert word.encode() not in disk, word
        assert word not in evening.trace, word


def test_the_trace_holds_no_word_of_a_partner(evening: Evening) -> None:
    for line in (TALK / "lines.tsv").read_text("utf-8").lower().splitlines():
        words = line.split("\t")[2].strip(" .?").replace(",", "")
        assert len(words.split()) < 3 or words not in evening.trace.lower(), words
