"""What was agreed, on disk: one SQLite file, one transaction per event, written before anything is spoken.

Law: the snapshot and the ledger lines of one event are saved together or not at all. The file holds no word of a partner but
the dictated and confirmed ones (see `core/snapshot.py`).
"""

from __future__ import annotations

import errno
import json
import os
import sqlite3
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import Any, Protocol

from typing_extensions import Self

from voiceguide.core.effects import Dictated, Moment, Remember, Span
from voiceguide.core.snapshot import Snapshot, from_plain, to_plain
from voiceguide.errors import StoreError
from voiceguide.runtime.sole import SoleUse

_SCHEMA = """
CREATE TABLE IF NOT EXISTS snapshot (id INTEGER PRIMARY KEY CHECK (id = 1), saved REAL NOT NULL, data TEXT NOT NULL);
CREATE TABLE IF NOT EXISTS ledger (id INTEGER PRIMARY KEY, at REAL NOT NULL, kind TEXT NOT NULL, content TEXT NOT NULL);
"""
_VERSION = 1
_JOURNAL_PAGES = 32  # of 4 KiB, before the journal is folded in: SQLite's own 1000 would fill the last 4 MB of a small disk
FILE = "voiceguide.sqlite"  # its name in the data folder


@dataclass(frozen=True, slots=True)
class Saved:
    """What was found on disk. `at`: wall time of the last save, in seconds."""

    snapshot: Snapshot
    at: float


@dataclass(frozen=True, slots=True)
class Entry:
    """One line of the ledger."""

    id: int
    at: float
    kind: str
    values: dict[str, Any]


class Store(Protocol):
    """Where snapshots and ledger lines go."""

    def load(self) -> Saved | None:
        """The last snapshot, or None on a first start. Raises StoreError when the file cannot be read."""

    def commit(self, snapshot: Snapshot, remembered: tuple[Remember, ...], now: float) -> None:
        """Save both, or raise StoreError and save neither."""

    def entries(self, kind: str = "") -> list[Entry]:
        """The ledger, oldest first; only one kind where named."""


class MemoryStore:
    """Keeps everything for the life of the process: rehearsals and `try`."""

    def __init__(self) -> None:
        self._saved: tuple[str, float] | None = None
        self._entries: list[Entry] = []

    def load(self) -> Saved | None:
        """The last snapshot of this process, as a disk would give it back."""
        return Saved(from_plain(json.loads(self._saved[0])), self._saved[1]) if self._saved else None

    def commit(self, snapshot: Snapshot, remembered: tuple[Remember, ...], now: float) -> None:
        """Keep both."""
        self._saved = (json.dumps(to_plain(snapshot)), now)
        for line in remembered:
            self._entries.append(Entry(len(self._entries) + 1, now, line.kind, _plain_values(line)))

    def entries(self, kind: str = "") -> list[Entry]:
        """The ledger."""
        return [e for e in self._entries if not kind or e.kind == kind]


class NoStore(MemoryStore):
    """For a guide that starts on a full disk: the talk goes on, and every attempt to keep something says why it is not kept."""

    def __init__(self, trouble: StoreError) -> None:
        super().__init__()
        self._trouble = trouble

    def commit(self, snapshot: Snapshot, remembered: tuple[Remember, ...], now: float) -> None:  # noqa: ARG002 - a Store's shape
        """Raises the StoreError that it was given."""
        raise StoreError(self._trouble.code, self._trouble.message, hint=self._trouble.hint)


class SqliteStore:
    """The real one. A context manager; `path` is created with its folders. Only one process may write; others may look.

    `read_only`: for those who only look. Nothing is created or changed, a guide that writes meanwhile is not kept waiting, and
    everything that is read is of one moment; `path` must be there.
    """

    def __init__(self, path: Path, *, read_only: bool = False) -> None:
        self._path = path
        self._read_only = read_only
        self._sole = SoleUse(path)
        self._db: sqlite3.Connection | None = None

    def open(self) -> None:
        """Open or create the file. Raises StoreError: in use, not ours, newer than us, folder not writable."""
        try:
            self._db = self._connect_to_look() if self._read_only else self._connect()
            self._check_version(self._db)
        except (StoreError, sqlite3.Error, OSError) as error:
            self.close()
            raise self._as_ours(error) from None

    def _check_version(self, db: sqlite3.Connection) -> None:
        """Raises StoreError for a file that is newer than we are or, where we only look, that is not ours."""
        version = db.execute("PRAGMA user_version").fetchone()[0]
        if version > _VERSION:
            raise StoreError("store_newer", "The file with your agreements is from a newer voiceguide", hint=_UPDATE)
        if not self._read_only and version < _VERSION:  # not again: a full disk must not keep anybody from what is there
            for statement in _SCHEMA.split(";"):
                db.execute(statement)
            db.execute(f"PRAGMA user_version = {_VERSION}")
        elif version < 1:
            empty = not db.execute("SELECT count(*) FROM sqlite_master").fetchone()[0]
            raise StoreError("store_empty", "Nothing is kept yet") if empty else _broken(self._path)
        if not self._read_only:
            db.execute("COMMIT")

    def _as_ours(self, error: Exception) -> Exception:
        """What went wrong in opening, as a StoreError."""
        match error:
            case BlockingIOError():
                return _in_use()
            case sqlite3.OperationalError():
                return _trouble(error, self._path)
            case sqlite3.DatabaseError():
                return _broken(self._path)
            case OSError() if self._read_only:
                return _broken(self._path, f" ({error.strerror})")
            case OSError(errno=errno.ENOSPC):
                return _full(self._path)
            case OSError():
                what = f"Nothing can be written to {self._path.parent} ({error.strerror})"
                return StoreError("store_folder", what, hint="Choose another data folder in the settings, or mend its rights")
        return error

    def _connect(self) -> sqlite3.Connection:
        self._path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        held = self._sole.take()
        self._path.chmod(0o600)
        try:
            return self._begun(exclusive=not held)
        except sqlite3.OperationalError as error:
            if not held or "locked" in str(error):
                raise
            # To let others look, SQLite shares 32 KB of memory that lies on the disk; on a full one it works alone, without.
            return self._begun(exclusive=True)

    def _begun(self, *, exclusive: bool) -> sqlite3.Connection:
        db = sqlite3.connect(self._path, timeout=0.5, isolation_level=None)
        try:
            db.execute(f"PRAGMA locking_mode = {'EXCLUSIVE' if exclusive else 'NORMAL'}")
            db.execute("PRAGMA journal_mode = WAL")
            db.execute("PRAGMA synchronous = FULL")
            db.execute(f"PRAGMA wal_autocheckpoint = {_JOURNAL_PAGES}")
            db.execute("BEGIN EXCLUSIVE")
        except sqlite3.Error:
            db.close()
            raise
        return db

    def _connect_to_look(self) -> sqlite3.Connection:
        """A connection that writes nothing to the file. Lines in the journal beside it, of a running guide or left by a crash,
        are read as well."""
        if self._path.stat() and self._path.is_dir():  # a plain reason instead of SQLite's one sentence for all of them
            raise IsADirectoryError(errno.EISDIR, os.strerror(errno.EISDIR))
        if not os.access(self._path, os.R_OK):
            raise PermissionError(errno.EACCES, os.strerror(errno.EACCES))
        # Without a journal nobody is writing: then SQLite need not even leave its own files beside ours.
        how = "mode=ro" if Path(f"{self._path}-wal").exists() else "mode=ro&immutable=1"
        db = sqlite3.connect(f"{self._path.absolute().as_uri()}?{how}", timeout=0.5, isolation_level=None, uri=True)
        try:
            db.execute("BEGIN")
        except sqlite3.Error:
            db.close()
            raise
        return db

    def load(self) -> Saved | None:
        """The last snapshot; StoreError when it cannot be understood."""
        row = self._read("SELECT saved, data FROM snapshot WHERE id = 1")
        if not row:
            return None
        try:
            return Saved(from_plain(json.loads(row[0][1])), row[0][0])
        except (KeyError, TypeError, ValueError):
            hint = "Move the file away to start afresh"
            raise StoreError("snapshot_broken", f"The saved session cannot be understood: {self._path}", hint=hint) from None

    def commit(self, snapshot: Snapshot, remembered: tuple[Remember, ...], now: float) -> None:
        """One transaction, flushed to the disk before it returns."""
        lines = [(now, line.kind, json.dumps(_plain_values(line))) for line in remembered]
        saved = (now, json.dumps(to_plain(snapshot)))
        try:
            self._write(saved, lines)
        except sqlite3.Error as error:
            trouble = _trouble(error, self._path)
            if trouble.code != "disk_full":
                raise trouble from None
            self._write_in_little_room(saved, lines)

    def _write(self, saved: tuple[float, str], lines: list[tuple[float, str, str]]) -> None:
        db = self._connection()
        try:
            db.execute("BEGIN IMMEDIATE")
            db.execute("INSERT OR REPLACE INTO snapshot VALUES (1, ?, ?)", saved)
            db.executemany("INSERT INTO ledger (at, kind, content) VALUES (?, ?, ?)", lines)
            db.execute("COMMIT")
        except sqlite3.Error:
            with suppress(sqlite3.Error):
                db.execute("ROLLBACK")
            raise

    def _write_in_little_room(self, saved: tuple[float, str], lines: list[tuple[float, str, str]]) -> None:
        """Once more, after the journal has been folded into the file: it is the larger of the two."""
        try:
            self._connection().execute("PRAGMA wal_checkpoint(TRUNCATE)")
            self._write(saved, lines)
        except sqlite3.Error as error:
            raise _trouble(error, self._path) from None

    def entries(self, kind: str = "") -> list[Entry]:
        """The ledger, oldest first."""
        rows = self._read("SELECT id, at, kind, content FROM ledger WHERE ? IN ('', kind) ORDER BY id", kind)
        try:
            return [Entry(row[0], row[1], row[2], dict(json.loads(row[3]))) for row in rows]
        except (TypeError, ValueError):
            raise _broken(self._path) from None

    def _read(self, query: str, *values: str) -> list[tuple[Any, ...]]:
        try:
            return self._connection().execute(query, values).fetchall()
        except sqlite3.OperationalError as error:
            raise _trouble(error, self._path) from None
        except sqlite3.DatabaseError:
            raise _broken(self._path) from None

    def close(self) -> None:
        """Safe to call twice."""
        if self._db is not None:
            self._db.close()
            self._db = None
        self._sole.let_go()

    def __enter__(self) -> Self:
        self.open()
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        self.close()

    def _connection(self) -> sqlite3.Connection:
        if self._db is None:
            raise RuntimeError("the store is not open")
        return self._db


def _broken(path: Path, reason: str = "") -> StoreError:
    hint = "Move it away to start afresh, or restore a copy of it"
    return StoreError("store_broken", f"The file with your agreements cannot be read: {path}{reason}", hint=hint)


_UPDATE = "Update voiceguide, or choose another data folder in the settings"


def _plain_values(line: Remember) -> dict[str, Any]:
    plain: dict[str, Any] = {}
    for key, value in line.values.items():
        match value:
            case Dictated():
                plain[key] = value.text
            case Moment():
                plain[key] = value.at
            case Span():
                plain[key] = value.seconds
            case _:
                plain[key] = value
    return plain


def _in_use() -> StoreError:
    return StoreError("store_in_use", "Another voiceguide is running with the same data folder", hint="Close it first")


def _full(path: Path) -> StoreError:
    return StoreError("disk_full", f"The disk is full, so nothing more can be kept in {path.parent}", hint="Free some space")


def _trouble(error: sqlite3.Error, path: Path) -> StoreError:
    """SQLite's sentence as ours; its messages name no content."""
    text = str(error)
    if "locked" in text:
        return _in_use()
    if "full" in text:
        return _full(path)
    hint = "Check the folder's rights and space"
    return StoreError("store_unwritable", f"Nothing can be written to {path} ({text})", hint=hint)
