"""A household's ledger for tests: what was agreed over weeks, and files that are not what they should be."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable
from datetime import datetime, timedelta, timezone
from pathlib import Path

from voiceguide.core.effects import Dictated, Moment, Remember
from voiceguide.core.snapshot import Snapshot
from voiceguide.language.telling import Telling
from voiceguide.runtime.store import FILE, Entry, SqliteStore

PROMISE = "when i come home after seven i'll text you before six on friday"  # as a recogniser writes
START = datetime(2026, 3, 2, 19, 0, tzinfo=timezone.utc)  # a Monday
EN = Telling.load("en")
Run = Callable[..., "tuple[int, str, str]"]


def at(day: float) -> float:
    return (START + timedelta(days=day)).timestamp()


LINES: list[tuple[float, Remember]] = [
    (0, Remember("consent")),
    (0, Remember("name_first", {"text": Dictated("Alex")})),
    (0, Remember("name_second", {"text": Dictated("Noor")})),
    (0, Remember("pause", {"due": Moment(at(0) + 1500)})),
    (0, Remember("return_kept")),
    (0, Remember("promise", {"id": 1, "text": Dictated(PROMISE), "who": 1, "theme": "reliability"})),
    (1, Remember("phrase", {"text": Dictated("yellow umbrella")})),
    (7, Remember("kept", {"id": 1})),
    (21, Remember("kept", {"id": 1})),
    (28, Remember("missed", {"id": 1})),
    (35, Remember("not_yet", {"id": 1})),
]


def fill(folder: Path, lines: list[tuple[float, Remember]] = LINES) -> Path:
    path = folder / FILE
    with SqliteStore(path) as store:
        for day, line in lines:
            store.commit(Snapshot(), (line,), at(day))
    return path


def kept_in(home: Path) -> list[Entry]:
    with SqliteStore(home / FILE, read_only=True) as store:
        return store.entries()


def spoil(home: Path, fault: str) -> Path:
    home.mkdir()
    path = home / FILE
    if fault == "broken":
        path.write_bytes(b"no database at all" * 100)
        return path
    with sqlite3.connect(path) as db:
        db.execute("PRAGMA user_version = 99" if fault == "newer" else "CREATE TABLE of_somebody_else (x)")
    db.close()
    return path
