"""Wording: what is said is clear, complete, and kept out of caches when a partner dictated it."""

from __future__ import annotations

from datetime import datetime, timedelta, timezone
from zoneinfo import ZoneInfo

import pytest

from voiceguide.core.effects import Dictated, Moment, Span
from voiceguide.errors import ContentError
from voiceguide.language.pack import Pack
from voiceguide.language.wording import Wording, slots_of

PACK = Pack.load("en")
WORDING = Wording(PACK, timezone.utc, {"crisis_line": "988"})
NOW = datetime(2026, 3, 10, 19, 40, tzinfo=timezone.utc).timestamp()


def moment(after: timedelta, language: str = "en") -> str:
    return Wording(Pack.load(language), timezone.utc).moment(NOW + after.total_seconds(), NOW)


@pytest.mark.parametrize(
    ("minutes", "said"),
    [
        (20, "eight o'clock"),
        (25, "five past eight"),
        (26, "eight oh six"),
        (40, "twenty past eight"),
        (50, "half past eight"),
        (65, "quarter to nine"),
        (57, "eight thirty seven"),
        (260, "midnight"),
        (300, "twenty to one"),
        (12 * 60, "twenty to eight tomorrow morning"),
        (13 * 60 + 20, "nine o'clock tomorrow morning"),
        (16 * 60 + 20, "noon tomorrow"),
        (24 * 60, "twenty to eight tomorrow evening"),
        (48 * 60, "twenty to eight on Thursday evening"),
    ],
)
def test_a_time_is_said_as_people_say_it(minutes: int, said: str) -> None:
    assert moment(timedelta(minutes=minutes)) == said


def test_a_week_ahead_has_its_date() -> None:
    assert moment(timedelta(days=7)) == "twenty to eight in the evening on Tuesday the seventeenth of March"


def test_a_time_is_said_to_the_nearest_minute() -> None:
    assert WORDING.moment(NOW + 1500.4, NOW) == "five past eight"
    assert WORDING.moment(NOW + 1495, NOW) == "five past eight"


def test_the_zone_of_the_couple_counts() -> None:
    seoul = Wording(PACK, ZoneInfo("Asia/Seoul"))
    assert seoul.moment(NOW + 1500, NOW) == "five past five"


@pytest.mark.parametrize(
    ("seconds", "said"),
    [
        (0, "zero seconds"),
        (45, "forty five seconds"),
        (60, "one minute"),
        (1500, "twenty five minutes"),
        (3600, "one hour"),
        (5400, "one hour and thirty minutes"),
        (86400, "one day"),
        (90060, "one day, one hour and one minute"),
    ],
)
def test_a_length_is_said_in_words(seconds: float, said: str) -> None:
    assert WORDING.span(seconds) == said


def test_korean_counts_hours_and_minutes_in_its_own_ways() -> None:
    assert moment(timedelta(minutes=25), "ko") == "오후 여덟 시 오 분"
    assert Wording(Pack.load("ko"), timezone.utc).span(11 * 3600 + 24 * 60) == "열한 시간 이십사 분"


def test_a_telephone_number_is_read_digit_by_digit() -> None:
    assert WORDING.digits("988") == "nine, eight, eight"
    assert WORDING.digits("116 123") == "one, one, six; one, two, three"
    assert "nine, eight, eight" in WORDING.say("safety.self_harm", {"emergency_line": "112"}).text


def test_dictated_words_are_never_cached_and_never_shown() -> None:
    sentence = WORDING.say("promises.read", {"promises": Dictated("when it is late, i will call")})
    assert sentence.text.endswith("when it is late, I will call"), "as people write it"
    assert not sentence.fixed
    assert "late" not in repr(sentence)
    assert WORDING.say("pause.begin", {}).fixed


def test_wordings_differ_and_begin_with_a_capital() -> None:
    due = {"due": Moment(NOW + 1500)}
    texts = [WORDING.say("pause.confirm", due, wording, NOW).text for wording in ("", "again", "short", "resumed")]
    assert len(set(texts)) == 4
    assert all(text[0].isupper() for text in texts)


def test_a_missing_prompt_or_slot_is_named() -> None:
    with pytest.raises(ContentError, match=r"pause\.nothing"):
        WORDING.say("pause.nothing", {})
    with pytest.raises(ContentError, match="due"):
        WORDING.say("pause.confirm", {})
    with pytest.raises(ContentError):
        slots_of("broken {brace")


@pytest.mark.parametrize("language", Pack.languages())
def test_everything_that_needs_no_slot_can_be_rendered_ahead(language: str) -> None:
    pack = Pack.load(language)
    ahead = {sentence.text for sentence in Wording(pack, timezone.utc).fixed_sentences()}
    assert pack.prompts["pause.begin"].text in ahead
    assert all("{" not in text for text in ahead)


@pytest.mark.parametrize("language", Pack.languages())
def test_every_prompt_can_be_said(language: str) -> None:
    pack = Pack.load(language)
    for name, prompt in pack.prompts.items():
        for wording in ("", "again", "short", "resumed"):
            slots = {slot: Span(1500) if slot == "span" else Moment(NOW + 1500) for slot in slots_of(prompt.variant(wording))}
            assert Wording(pack, timezone.utc).say(name, slots, wording, NOW).text
