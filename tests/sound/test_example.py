"""The shipped example in English, through whisper and the real voice: the whole story, from the quarrel to a good end."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.sound.example_runs import assert_story, play
from voiceguide.runtime import models

WHISPER = models.inspect(models.find("whisper-tiny.en")).health is models.Health.READY

pytestmark = [pytest.mark.sound, pytest.mark.skipif(not WHISPER, reason="the whisper model is not fetched")]


def test_the_example_is_heard_and_led_to_a_good_end(tmp_path: Path) -> None:
    played = play("en", tmp_path)
    assert_story(played)
    assert played.heard.count("pause") == 1
    assert {"return_time", "yes", "remaining", "here", "number", "more_time", "now"} <= set(played.heard)
