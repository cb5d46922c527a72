"""A full disk ends no talk: it goes on, the couple is told once, nothing that finds room again is lost, and the run says so."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.test_dialogues import ZONE
from voiceguide.assembly import Content
from voiceguide.core.effects import Dictated, Remember
from voiceguide.core.snapshot import Snapshot
from voiceguide.dialogue import parse_dialogue, read_dialogue
from voiceguide.errors import StoreError
from voiceguide.rehearsing import Moment, Rehearsal
from voiceguide.runtime.store import MemoryStore, NoStore, SqliteStore

TOLD, AGAIN = "trouble.keeping_nothing", "trouble.keeping_again"
REPAIR = Path(__file__).parent / "dialogues" / "repair_whole.dialogue"
FULL = StoreError("disk_full", "The disk is full", hint="Free some space")


class FillingStore(MemoryStore):
    """A disk that is full from commit number `first` to `last`."""

    def __init__(self, first: int = 1, last: int = 10**9) -> None:
        super().__init__()
        self.commits, self._first, self._last = 0, first, last

    def commit(self, snapshot: Snapshot, remembered: tuple[Remember, ...], now: float) -> None:
        self.commits += 1
        if self._first <= self.commits <= self._last:
            raise FULL
        super().commit(snapshot, remembered, now)


def played(store: MemoryStore, text: str = "") -> tuple[list[Moment], Rehearsal]:
    dialogue = parse_dialogue(text) if text else read_dialogue(REPAIR)
    rehearsal = Rehearsal(Content.load("en", encoder=False), dialogue, ZONE, store)
    return rehearsal.play(), rehearsal


def prompts(moments: list[Moment]) -> list[str]:
    return [one.prompt for one in moments if one.prompt]


@pytest.mark.parametrize("store", [FillingStore(), FillingStore(40), NoStore(FULL)])
def test_the_talk_goes_on_and_the_couple_is_told_once(store: MemoryStore) -> None:
    said = prompts(played(MemoryStore())[0])
    heard, rehearsal = played(store)
    assert [one for one in prompts(heard) if one != TOLD] == said
    assert prompts(heard).count(TOLD) == 1
    assert rehearsal.guide.lost is not None and rehearsal.guide.lost.code == "disk_full"


def test_what_found_no_room_is_kept_as_soon_as_there_is_some_and_they_are_told() -> None:
    whole, room = MemoryStore(), FillingStore(40, 90)
    played(whole)
    heard, rehearsal = played(room)
    lines = [(one.kind, one.values) for one in whole.entries()]
    assert [(one.kind, one.values) for one in room.entries()] == lines and lines
    assert prompts(heard).count(TOLD) == prompts(heard).count(AGAIN) == 1
    assert rehearsal.guide.lost is None


def test_nobody_s_dinner_is_interrupted_for_it() -> None:
    dinner = "0:05\tAna\tthe soup is good\n0:20\tBen\tthere is more of it in the pot\n0:40\tAna\tthank you\n"
    assert prompts(played(FillingStore(2), dinner)[0]) == ["open.welcome"]


def test_an_ending_is_the_same_for_everybody() -> None:
    heard, _ = played(FillingStore(2), "0:05\tAna\twe had a fight\n+2\tAna\tstop\n")
    assert prompts(heard)[-1] == "close.ending"
    heard, _ = played(FillingStore(3), "0:05\tAna\tstop\n")
    assert prompts(heard) == ["open.welcome", "close.ending"]


# -- a real disk that is small -------------------------------------------------------------------------------------------


@pytest.fixture
def small(tmp_path: Path) -> Iterator[Path]:
    """A disk of 256 KB, where one may make such."""
    place = tmp_path / "small"
    place.mkdir()
    if not sys.platform.startswith("linux") or os.geteuid() != 0:
        pytest.skip("only root may mount a small disk")
    command = ["mount", "-t", "tmpfs", "-o", "size=256k", "tmpfs", str(place)]
    if subprocess.run(command, capture_output=True, check=False).returncode:
        pytest.skip("no disk may be mounted here")
    yield place
    subprocess.run(["umount", str(place)], check=False)


def fill(place: Path, leave: int = 0) -> Path:
    ballast = place / "ballast"
    with ballast.open("ab", buffering=0) as file:
        try:
            while file.write(b"x" * 4096):
                pass
        except OSError:
            file.truncate(max(ballast.stat().st_size - leave, 0))
    return ballast


def keep(store: SqliteStore, count: int) -> None:
    for number in range(count):
        store.commit(Snapshot(number=number), (Remember("promise", {"text": Dictated("x" * 40)}),), float(number))


def test_on_a_full_disk_each_line_is_kept_whole_or_refused_in_one_sentence(small: Path) -> None:
    with SqliteStore(small / "a.sqlite") as store:
        keep(store, 2)
        ballast = fill(small)
        with pytest.raises(StoreError, match="The disk is full"):
            keep(store, 200)
        before = len(store.entries())
        ballast.unlink()
        keep(store, 1)
        assert len(store.entries()) == before + 1


def test_what_was_agreed_before_is_there_on_a_full_disk(small: Path) -> None:
    with SqliteStore(small / "a.sqlite") as store:
        keep(store, 3)
    fill(small)
    with SqliteStore(small / "a.sqlite") as store:
        saved = store.load()
        assert saved is not None and saved.snapshot.number == 2
        with pytest.raises(StoreError, match="The disk is full"):
            keep(store, 200)
    with SqliteStore(small / "a.sqlite", read_only=True) as looking:
        assert len(looking.entries("promise")) >= 3


def test_the_journal_gives_its_room_back_before_anything_is_refused(small: Path) -> None:
    with SqliteStore(small / "a.sqlite") as store:
        keep(store, 300)  # their journal alone would be larger than the disk many times over
        assert len(store.entries()) == 300


@pytest.mark.parametrize("room", [0, 4096, 16384])
def test_a_first_start_on_a_full_disk_is_refused_as_such(small: Path, room: int) -> None:
    fill(small, room)
    with pytest.raises(StoreError) as refused, SqliteStore(small / "house" / "a.sqlite") as store:
        keep(store, 200)
    assert refused.value.code == "disk_full"
