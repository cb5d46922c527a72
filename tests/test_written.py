"""What was dictated is shown as people write it, and stays word for word what was said."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from voiceguide.language.pack import Pack
from voiceguide.language.written import Written

EN = Written.load("en")


@pytest.mark.parametrize(
    ("heard", "shown"),
    [
        ("i will call", "I will call"),
        ("when i'm late i'll text you on monday", "When I'm late I'll text you on Monday"),
        ("when it's eight i\u2019ll call", "When it's eight I\u2019ll call"),
        ("hi in india it is is", "Hi in india it is is"),
        ("i may march on", "I may march on"),
        ("When I'm late, I will text you.", "When I'm late, I will text you"),
        ("what if?", "What if"),
        ("", ""),
        ("...", "..."),
    ],
)
def test_capitals_where_they_are_certain(heard: str, shown: str) -> None:
    assert EN(heard, sentence=True) == shown


def test_inside_a_sentence_only_words_that_always_have_a_capital_get_one() -> None:
    assert EN("when i am late") == "when I am late"


@given(st.text(max_size=60), st.booleans(), st.sampled_from(Pack.languages()))
def test_no_word_is_changed_but_for_its_capitals(text: str, sentence: bool, language: str) -> None:
    shown = Written.load(language)(text, sentence=sentence)
    assert text.casefold().startswith(shown.casefold()) and not text.casefold()[len(shown.casefold()) :].strip(".!? ")
    assert Written.load(language)(shown, sentence=sentence) == shown


def test_a_language_without_capitals_writes_as_it_is() -> None:
    assert Written.load("ko")("늦으면 전화할게", sentence=True) == "늦으면 전화할게"
