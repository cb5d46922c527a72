"""Help lines: every number dated and sourced, none that was withdrawn, spoken so that it can be taken in."""

from __future__ import annotations

import re
from datetime import date
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import voiceguide
from voiceguide.errors import ContentError, UsageError
from voiceguide.language import helplines
from voiceguide.language.contract import read_toml
from voiceguide.language.helplines import Lines, countries, guess_country, lines_for, slots_for, spoken
from voiceguide.settings import Settings, changed
from voiceguide.whereabouts import country_of

CONTENT = Path(voiceguide.__file__).parent / "content"
PACKS = {one.parent.name: read_toml(one.parent.name, "pack.toml") for one in CONTENT.glob("*/pack.toml")}
SPEAKING = sorted(PACKS)
WITHDRAWN = ("1393", "08000116016")  # Korea's until the end of 2023; the long form of the German one
LISTED = [(code, line) for code, country in countries().items() for line in country.all()]
numbers = st.lists(st.text("0123456789", min_size=3, max_size=6), min_size=1, max_size=4).map(" ".join)


def digits_of(words: str, language: str) -> str:
    """The way back from speech: each word is one digit."""
    back = {word: digit for digit, word in PACKS[language]["speak"]["digits"].items()}
    return "".join(back[word] for word in re.split(r"\W+", words) if word)


def test_the_countries_of_the_product_are_listed() -> None:
    assert set(countries()) == {"US", "GB", "IE", "CA", "AU", "NZ", "IN", "KR", "DE", "FR", "ES"}


@pytest.mark.parametrize(("code", "line"), LISTED, ids=[f"{code} {line.number}" for code, line in LISTED])
def test_every_number_has_a_source_and_a_day(code: str, line: helplines.Line) -> None:
    assert line.sources and all(line.sources) and date(2026, 1, 1) <= line.checked <= date(2100, 1, 1), code
    assert 2 < len(line.number.replace(" ", "")) <= 11


@pytest.mark.parametrize("file", sorted(CONTENT.rglob("*.toml")) + sorted(CONTENT.rglob("*.tsv")), ids=lambda file: file.name)
def test_a_withdrawn_number_stands_nowhere_in_the_content(file: Path) -> None:
    runs = re.findall(r"(?<![\d.])\d[\d\- ()/]*\d(?![\d.])", file.read_text("utf-8"))
    assert not {re.sub(r"\D", "", run) for run in runs} & set(WITHDRAWN)


def test_every_country_has_an_emergency_and_a_crisis_number() -> None:
    assert all(lines_for(code).emergency and lines_for(code).crisis for code in countries())


def test_korea_and_germany_have_the_numbers_that_are_in_force() -> None:
    assert lines_for("KR").crisis == "109"
    assert lines_for("de").support == "116 016"


@pytest.mark.parametrize("language", SPEAKING)
@settings(deadline=None)  # the first look reads the pack
@given(number=numbers)
def test_the_words_of_a_number_lead_back_to_its_digits(language: str, number: str) -> None:
    assert digits_of(spoken(number, language), language) == number.replace(" ", "")


@pytest.mark.parametrize("language", SPEAKING)
@pytest.mark.parametrize("code", [*countries(), "", "XX"])
def test_slots_say_the_listed_digits_or_neutral_words_without_any(code: str, language: str) -> None:
    slots = slots_for(code, language)
    assert set(slots) == {"emergency_line", "support_line", "crisis_line"}
    for kind in ("emergency", "support", "crisis"):
        number = getattr(lines_for(code), kind)
        words = slots[f"{kind}_line"]
        assert not re.search(r"\d", words) and words
        if number:
            assert digits_of(words, language) == number.replace(" ", "")


def test_a_number_is_heard_in_groups_of_at_most_four_digits() -> None:
    speak = PACKS["en"]["speak"]
    for _, line in LISTED:
        groups = spoken(line.number, "en").split(speak["group_gap"])
        assert all(len(group.split(speak["digit_gap"])) <= 4 for group in groups)
    assert spoken("116123", "en") == spoken("116 123", "en")


def test_an_unknown_country_has_no_number_and_says_so_neutrally() -> None:
    assert lines_for("XX") == Lines()
    assert slots_for("", "en")["emergency_line"] == "your local emergency number"
    assert slots_for("CA", "en")["support_line"] == "your local support line"


@pytest.mark.parametrize(("locale", "zone", "country"), [
    ("en_GB.UTF-8", "Europe/London", "GB"),
    ("en_US.UTF-8", "Asia/Seoul", "KR"),  # where the machine stands counts more than the language it was installed in
    ("en_US.UTF-8", "America/Indiana/Knox", "US"),
    ("en_US.UTF-8", "Etc/UTC", ""),  # the locale of every second server
    ("en_GB.UTF-8", "Asia/Dubai", ""),  # an English guest elsewhere
    ("en_IE", "", "IE"),
    ("de_DE@euro", "Etc/UTC", "DE"),
    ("en-AU", "", "AU"),
    ("de_AT.UTF-8", "Europe/Vienna", ""),
    ("C", "", ""),
    ("", "", ""),
    ("POSIX", "UTC", ""),
])
def test_a_country_is_guessed_only_where_there_is_little_doubt(locale: str, zone: str, country: str) -> None:
    assert guess_country(locale, zone) == country


@given(st.text(max_size=30), st.text(max_size=30))
def test_a_guess_is_a_listed_country_or_none(locale: str, zone: str) -> None:
    assert guess_country(locale, zone) in {"", *countries()}


def test_no_time_zone_belongs_to_two_countries() -> None:
    zones = [zone for country in countries().values() for zone in country.zones]
    assert len(zones) == len(set(zones))


@pytest.mark.parametrize(("row", "part"), [
    ({"number": "112"}, "checked"),
    ({"number": "112", "checked": date(2026, 1, 1)}, "source"),
    ({"number": "112", "checked": date(2026, 1, 1), "source": ["K99"]}, "source"),
    ({"number": "one one two", "checked": date(2026, 1, 1), "source": ["K1"]}, "number"),
    ({"number": 112, "checked": date(2026, 1, 1), "source": ["K1"]}, "number"),
])
def test_a_line_without_day_or_source_is_refused_by_country_and_key(row: dict[str, object], part: str) -> None:
    with pytest.raises(ContentError, match=f"FR.crisis: {part}"):
        helplines._country("FR", {"crisis": row}, {"K1": "a page"})


def test_the_country_that_was_chosen_counts_more_than_any_guess(tmp_path: Path) -> None:
    korean = {"LANG": "ko_KR.UTF-8", "TZ": "Asia/Seoul"}
    assert country_of(Settings(country="gb"), korean, tmp_path / "none") == "GB"
    assert country_of(Settings(), korean, tmp_path / "none") == "KR"
    assert country_of(Settings(), {}, tmp_path / "none") == ""


@pytest.mark.parametrize("target", ["/usr/share/zoneinfo/Europe/Dublin", "../usr/share/zoneinfo/Europe/Dublin",
                                    "/var/db/timezone/zoneinfo/Europe/Dublin"])
def test_the_zone_of_the_machine_tells_the_country(tmp_path: Path, target: str) -> None:
    (tmp_path / "localtime").symlink_to(target)
    assert country_of(Settings(), {"LANG": "en_US.UTF-8"}, tmp_path / "localtime") == "IE"


def test_a_setting_that_is_no_country_code_is_refused() -> None:
    with pytest.raises(UsageError, match="country"):
        changed(Settings(), country="England")
