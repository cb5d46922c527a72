"""What is written becomes what was said."""

from __future__ import annotations

import pytest

from voiceguide.adapters.spoken_form import SpokenForm


@pytest.mark.parametrize(
    ("written", "said"),
    [
        ("At 8:30.", "at eight thirty"),
        ("At 830.", "at eight thirty"),
        ("At 7:00 p.m.", "at seven pm"),
        ("8:05", "eight zero five"),
        ("20, no, make it 30.", "twenty no make it thirty"),
        ("In 25 minutes", "in twenty five minutes"),
        ("The 1st one.", "the first one"),
        ("1,500 and 100.", "one thousand five hundred and one hundred"),
        ("I can\u2019t \u2014 don't!", "i can't don't"),
        ("'Stop,' he said.", "stop he said"),
        ("(sighs) Okay. [BLANK_AUDIO]", "okay"),
        ("5551234567890", "five five five one two three four five six seven eight nine zero"),
        ("...", ""),
    ],
)
def test_numbers_times_and_marks_become_words(written: str, said: str) -> None:
    assert SpokenForm("en")(written) == said


def test_other_languages_have_their_own_numbers() -> None:
    assert SpokenForm("de")("In 20 Minuten") == "in zwanzig minuten"
