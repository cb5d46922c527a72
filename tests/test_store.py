"""What was agreed survives: a power cut, a second instance, a full disk, a broken or newer file. One clear sentence each."""

from __future__ import annotations

import contextlib
import os
import signal
import sqlite3
import subprocess
import sys
from pathlib import Path

import pytest

from voiceguide.core.effects import Dictated, Remember
from voiceguide.core.snapshot import Household, Snapshot
from voiceguide.errors import StoreError
from voiceguide.runtime.store import SqliteStore

KEPT = Snapshot(number=7, household=Household(names=("Ana", "Ben"), phrase="red sofa"))
WRITER = """
import os, signal, sys
from pathlib import Path
from voiceguide.core.effects import Dictated, Remember
from voiceguide.core.snapshot import Household, Snapshot
from voiceguide.runtime.store import SqliteStore
store = SqliteStore(Path(sys.argv[1]))
store.open()
kept = Snapshot(number=7, household=Household(names=("Ana", "Ben"), phrase="red sofa"))
store.commit(kept, (Remember("promise", {"text": Dictated("when I am late I text")}),), 100.0)
os.kill(os.getpid(), signal.SIGKILL)
"""


def test_what_was_committed_survives_kill_9(tmp_path: Path) -> None:
    path = tmp_path / "a.sqlite"
    done = subprocess.run([sys.executable, "-c", WRITER, str(path)], check=False)
    assert done.returncode == -signal.SIGKILL
    with SqliteStore(path) as store:
        saved = store.load()
        assert saved is not None
        assert saved.snapshot == KEPT
        assert [entry.values["text"] for entry in store.entries("promise")] == ["when I am late I text"]


def test_a_second_instance_is_refused_in_one_sentence(tmp_path: Path) -> None:
    with SqliteStore(tmp_path / "a.sqlite") as first:
        first.commit(KEPT, (), 1.0)
        with pytest.raises(StoreError) as refused:
            SqliteStore(tmp_path / "a.sqlite").open()
    assert refused.value.code == "store_in_use"
    assert refused.value.exit_code == 5


def test_who_looks_does_not_count_as_an_instance_and_a_second_guide_is_refused_all_the_same(tmp_path: Path) -> None:
    path = tmp_path / "a.sqlite"
    with SqliteStore(path) as first:
        first.commit(KEPT, (), 1.0)
        with SqliteStore(path, read_only=True) as looking:
            assert looking.load() is not None
            with pytest.raises(StoreError, match="Another voiceguide is running"):
                SqliteStore(path).open()
        first.commit(KEPT, (), 2.0)
        with pytest.raises(StoreError, match="Another voiceguide is running"):
            SqliteStore(path).open()
    with SqliteStore(path) as second:
        saved = second.load()
        assert saved is not None and saved.at == 2.0


def test_a_guide_that_was_killed_keeps_nobody_out(tmp_path: Path) -> None:
    subprocess.run([sys.executable, "-c", WRITER, str(tmp_path / "a.sqlite")], check=False)
    with SqliteStore(tmp_path / "a.sqlite", read_only=True) as looking:
        assert looking.load() is not None
    with SqliteStore(tmp_path / "a.sqlite") as next_one:
        next_one.commit(KEPT, (), 101.0)


def test_a_refused_file_is_let_go(tmp_path: Path) -> None:
    path = tmp_path / "a.sqlite"
    path.write_bytes(BROKEN[0])
    for _ in range(2):
        with pytest.raises(StoreError, match="cannot be read"):
            SqliteStore(path).open()
    path.unlink()
    with SqliteStore(path) as store:
        store.commit(KEPT, (), 1.0)


def test_a_failed_commit_saves_neither_half(tmp_path: Path) -> None:
    path = tmp_path / "a.sqlite"
    with SqliteStore(path) as store:
        store.commit(KEPT, (), 1.0)
    with contextlib.closing(sqlite3.connect(path)) as db:  # a disk that is full from here on
        db.execute("CREATE TRIGGER full BEFORE INSERT ON ledger BEGIN SELECT RAISE(ABORT, 'database or disk is full'); END")
    with SqliteStore(path) as store:
        with pytest.raises(StoreError) as refused:
            store.commit(Snapshot(number=8), (Remember("promise", {"text": Dictated("x")}),), 2.0)
        assert refused.value.code == "disk_full"
        saved = store.load()
        assert saved is not None
        assert saved.snapshot == KEPT


def test_a_newer_file_is_left_alone(tmp_path: Path) -> None:
    path = tmp_path / "a.sqlite"
    with contextlib.closing(sqlite3.connect(path)) as db:
        db.execute("PRAGMA user_version = 99")
    with pytest.raises(StoreError) as refused:
        SqliteStore(path).open()
    assert refused.value.code == "store_newer"


BROKEN = (b"this is no database, but it is long enough to look at" * 20, b"SQLite format 3\0" + b"\0" * 200)


@pytest.mark.parametrize("content", BROKEN)
def test_a_broken_file_is_named_and_not_touched(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "a.sqlite"
    path.write_bytes(content)
    with pytest.raises(StoreError) as refused:
        SqliteStore(path).open()
    assert str(path) in str(refused.value)
    assert path.read_bytes() == content


def test_a_folder_that_cannot_be_written_is_one_sentence(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("not a folder", encoding="utf-8")
    with pytest.raises(StoreError) as refused:
        SqliteStore(tmp_path / "file" / "a.sqlite").open()
    assert refused.value.exit_code == 5


def test_only_the_owner_can_read_what_was_agreed(tmp_path: Path) -> None:
    with SqliteStore(tmp_path / "house" / "a.sqlite"):
        pass
    if os.name == "posix":
        assert (tmp_path / "house" / "a.sqlite").stat().st_mode & 0o077 == 0
