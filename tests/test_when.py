"""Times: the table of the field notes, corrections, hedges, every minute of the day, and never a time out of an open answer."""

from __future__ import annotations

from datetime import datetime, timedelta, timezone
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from voiceguide.language.pack import Pack
from voiceguide.language.when import When
from voiceguide.language.wording import Wording

EVENING = datetime(2026, 3, 10, 19, 40)  # noqa: DTZ001 - the Tuesday of the field notes, on a kitchen clock
PACK = Pack.load("en")


def read(text: str, now: datetime = EVENING, expect_length: bool = False) -> When:
    return PACK.times.parse(PACK.normalise(text), now, expect_length)


def moment(text: str, now: datetime = EVENING) -> str:
    """Day offset and time of what was read."""
    when = read(text, now)
    assert when.kind == "definite" and when.seconds is not None, text
    due = now + timedelta(seconds=when.seconds)
    return f"{(due.date() - now.date()).days}d {due:%H:%M}"


MINUTES = {
    "in twenty five minutes": 25,
    "half an hour": 30,
    "in an hour and a half": 90,
    "an hour and a half": 90,
    "twenty minutes": 20,
    "twenty": 20,
    "no, thirty": 30,
    "in a quarter of an hour": 15,
    "forty five minutes": 45,
    "give me ten minutes": 10,
    "make it an hour": 60,
    "one hour": 60,
    "in two hours": 120,
    "in about twenty minutes": 20,
    "a couple of hours": 120,
    "three quarters of an hour": 45,
    "twenty, no, make it thirty": 30,
    "twenty minutes, no, thirty": 30,
    "an hour or so": 60,
    "an hour or two": 120,
    "ten or fifteen minutes": 15,
    "twenty to thirty minutes": 30,
    "two hours thirty": 150,
    "an hour and fifteen": 75,
    "one hour and twenty minutes": 80,
    "1 hour 30 seconds": 60.5,
    "2h30m": 150,
    "1.5 hours": 90,
    "20 minutes": 20,
    "20mins": 20,
    "twenty um five minutes": 25,
    "i i need twenty twenty minutes": 20,
    "a hundred and twenty minutes": 120,
    "another half hour": 30,
    "ten more minutes": 10,
    "by one hour": 60,
    "twenty four hours": 1440,
    "this time tomorrow": 1440,
}

CLOCKS = {
    "at half past eight": "0d 20:30",
    "quarter to nine tonight": "0d 20:45",
    "tomorrow morning at nine": "1d 09:00",
    "let's say eight": "0d 20:00",
    "twenty past eight": "0d 20:20",
    "eight thirty": "0d 20:30",
    "at nine": "0d 21:00",
    "tomorrow at seven in the evening": "1d 19:00",
    "at ten to nine": "0d 20:50",
    "nine o'clock": "0d 21:00",
    "the day after tomorrow at noon": "2d 12:00",
    "half eight": "0d 20:30",  # British: half past eight
    "8:30": "0d 20:30",
    "8:30 p.m.": "0d 20:30",
    "8.30 pm": "0d 20:30",
    "seven forty five": "0d 19:45",
    "ten ten": "0d 22:10",
    "twenty thirty": "0d 20:30",
    "nine tomorrow morning": "1d 09:00",
    "tomorrow at nine": "1d 09:00",
    "on friday at eight in the evening": "3d 20:00",
    "not at eight, at nine": "0d 21:00",
    "nine instead of eight": "0d 21:00",
    "at eight, no, nine": "0d 21:00",
    "ten after nine": "0d 21:10",
    "three minutes to half past nine": "0d 21:30",
    "midnight": "1d 00:00",
    "noon": "1d 12:00",
    "half past": "0d 20:30",
    "around nine": "0d 21:00",
    "nine ish": "0d 21:00",
    "eleven at night": "0d 23:00",
    "seven in the morning": "1d 07:00",
    "eight oh five": "0d 20:05",
    "later, say at nine": "0d 21:00",
}

OPEN = [
    "in a bit", "after dinner", "tomorrow", "later", "soon", "tonight", "tomorrow morning", "in a few minutes", "a few hours",
    "in a while", "when i'm ready", "i don't know", "some time", "after eight", "at eight, no, later", "when the kids are in bed",
    "next week", "whenever", "on friday", "this evening",
]  # fmt: skip

NOTHING = [
    "", "we had eight people over", "i need two of them", "ten minutes ago", "every ten minutes", "at a couple of", "a4",
    "because you never listen", "ninety nine point nine percent of it",
]  # fmt: skip


@pytest.mark.parametrize("text", MINUTES)
def test_a_length_is_read_as_it_was_said(text: str) -> None:
    assert read(text).seconds == MINUTES[text] * 60


@pytest.mark.parametrize("text", CLOCKS)
def test_a_time_of_day_is_the_next_that_comes(text: str) -> None:
    assert moment(text) == CLOCKS[text]


@pytest.mark.parametrize("text", OPEN)
def test_an_open_answer_is_never_turned_into_a_time(text: str) -> None:
    assert read(text).kind == "open"


@pytest.mark.parametrize("text", NOTHING)
def test_what_is_no_time_stays_none(text: str) -> None:
    assert read(text).kind == "none"


def test_a_bare_number_follows_the_question() -> None:
    assert read("eight", expect_length=True).seconds == 480
    assert moment("eight") == "0d 20:00"
    assert read("eight").bare and not read("at eight").bare


def test_a_time_that_is_over_today_is_no_return_time() -> None:
    assert read("this morning at eight").kind == "past"


def test_a_night_with_a_clock_change_is_counted_in_real_hours() -> None:
    berlin = ZoneInfo("Europe/Berlin")
    night = datetime(2026, 3, 28, 21, 0, tzinfo=berlin)  # clocks go forward at two
    assert read("tomorrow at nine", night).seconds == 11 * 3600


@given(st.integers(1, 24 * 60))
def test_every_length_that_is_said_is_read_back(minutes: int) -> None:
    said = Wording(PACK, timezone.utc).span(minutes * 60)
    assert read(said).seconds == minutes * 60, said
    assert read(f"in {said}").seconds == minutes * 60, said


@given(st.integers(0, 24 * 60 - 1), st.integers(1, 24 * 60))
def test_every_time_that_is_said_is_read_back(start: int, minutes: int) -> None:
    now = datetime(2026, 3, 10, tzinfo=timezone.utc) + timedelta(minutes=start)
    due = now.timestamp() + minutes * 60
    said = Wording(PACK, timezone.utc).moment(due, now.timestamp())
    assert read(f"at {said}", now).seconds == minutes * 60, said


@given(st.integers(1, 12), st.integers(0, 59), st.sampled_from(["am", "pm"]))
def test_every_written_time_is_the_next_one_of_its_kind(hour: int, minute: int, half: str) -> None:
    when = read(f"{hour}:{minute:02} {half}")
    assert when.seconds is not None and 0 < when.seconds <= 24 * 3600
    due = EVENING + timedelta(seconds=when.seconds)
    assert (due.hour, due.minute) == (hour % 12 + (12 if half == "pm" else 0), minute)


@given(st.text(max_size=200))
def test_nothing_that_is_fed_raises(text: str) -> None:
    assert read(text).kind in ("definite", "open", "past", "none")
