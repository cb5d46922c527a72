"""With the trained half listening: silent through ten minutes of ordinary chatter, one kind question in a quarrel that rises."""

from __future__ import annotations

import pytest

from tests.test_dialogues import FOLDER, ZONE, rewritten
from voiceguide.adapters.mpnet import ENCODER
from voiceguide.assembly import Content
from voiceguide.dialogue import GUIDE, read_dialogue
from voiceguide.rehearsing import Moment, Rehearsal
from voiceguide.runtime.models import models_folder

EVENINGS = FOLDER / "encoder"
pytestmark = [
    pytest.mark.sound,
    pytest.mark.skipif(not (models_folder() / ENCODER / "model.safetensors").exists(), reason=f"{ENCODER} is not fetched"),
]


def played(name: str, *, accept: bool) -> list[Moment]:
    path = EVENINGS / f"{name}.dialogue"
    content = Content.load("en")
    moments = Rehearsal(content, read_dialogue(path), ZONE).play()
    written = rewritten(path.read_text("utf-8"), moments)
    if accept:
        path.write_text(written, "utf-8")
    assert path.read_text("utf-8") == written, "what is heard has changed: read it, then scripts/test --accept"
    return [moment for moment in moments if moment.who == GUIDE and moment.prompt != "open.welcome"]


def test_the_guide_is_silent_through_ten_minutes_of_ordinary_chatter(accept: bool) -> None:
    assert played("ten_minutes_of_chatter", accept=accept) == []


def test_the_guide_asks_once_in_a_quarrel_that_rises(accept: bool) -> None:
    assert [moment.prompt for moment in played("a_quarrel_that_rises", accept=accept)] == ["offer.pause"]
