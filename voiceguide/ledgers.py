"""`voiceguide promises`, `history`, `export`, `erase`: what was agreed, seen, taken along and erased.

Laws. Looking changes nothing: no file is made where there is none, and a running guide is never kept waiting. Plain sentences
of at most 80 columns, without tables or boxes, so that a screen reader reads them as they are meant. Erasing asks once and says
exactly what goes. (mission R6, R14, V8)

The shape of an export: an object with `format` "voiceguide", `version` 1, `about`, `exported` (ISO time), `ledger` (a list of
`{"id", "at": ISO time, "kind", "values"}`, oldest first), `session` (`{"saved": ISO time, "state": {…}}` or null) and `shape`
(what these mean, in words).
"""

from __future__ import annotations

import argparse
import json
import os
import sys
import tempfile
import time
import unicodedata
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from pathlib import Path
from typing import Any

import platformdirs

from voiceguide import settings as settings_module
from voiceguide.accounts import ANSWERS, SENTENCES, Account, Promise, account
from voiceguide.core.snapshot import to_plain
from voiceguide.errors import StoreError, UsageError
from voiceguide.history_page import counted, else_line, page, promise_words
from voiceguide.language.telling import Telling
from voiceguide.language.written import Written
from voiceguide.runtime.store import FILE, Entry, Saved, SqliteStore

WIDTH = 78
_BESIDE = ("-wal", "-shm", "-journal")  # SQLite's own files, beside ours


@dataclass(frozen=True, slots=True)
class Kept:
    """Everything on disk. `broken`: the saved place is there, but cannot be understood."""

    entries: tuple[Entry, ...] = ()
    saved: Saved | None = None
    broken: bool = False


def ledger_command(args: argparse.Namespace) -> int:
    """Run the command that `args.command` names. Raises StoreError when what is kept cannot be read, written or erased."""
    chosen = settings_module.load()
    folder = Path(args.data).expanduser() if args.data else chosen.data
    telling = Telling.load(chosen.language)
    _COMMANDS[args.command](args, folder / FILE, telling)
    return 0


def read(path: Path) -> Kept:
    """What is kept in `path`; nothing where there is no such file. Raises StoreError: unreadable, newer."""
    if _absent(path):
        return Kept()
    try:
        with SqliteStore(path, read_only=True) as store:
            entries = tuple(store.entries())
            try:
                return Kept(entries, store.load())
            except StoreError as error:
                if error.code != "snapshot_broken":
                    raise
                return Kept(entries, broken=True)
    except StoreError as error:
        if error.code == "store_empty":  # a file that was begun and never written to
            return Kept()
        raise


def _absent(path: Path) -> bool:
    """Whether there is surely no file. Where we may not even look, the store says so in a sentence."""
    try:
        path.stat()
    except (FileNotFoundError, NotADirectoryError):
        return True
    except OSError:
        return False
    return False


# -- promises ------------------------------------------------------------------------------------------------------------


def _promises(args: argparse.Namespace, path: Path, telling: Telling) -> None:
    promises = account(read(path).entries, written=telling.written).promises
    if args.json:
        _lines_of_json(map(promise_data, promises))
        return
    _print(telling.text("promises_title"), "")
    if not promises:
        _print(telling.text("promises_none"))
    for number, promise in enumerate(promises, 1):
        heading, *went = promise_words(promise, telling)
        _print(f"{number}. {heading}", *(f"   {line}" for line in (promise.text, *went)), "")


def promise_data(promise: Promise) -> dict[str, object]:
    """One promise for programs. Days are ISO dates of local time; `let_go` is null while it stands."""
    return {
        "id": promise.id,
        "text": promise.text,
        "giver": promise.giver,
        "theme": promise.theme,
        "made": promise.made.isoformat(),
        **{what: promise.count(what) for what in ANSWERS},
        "answers": [{"day": one.day.isoformat(), "answer": one.what} for one in promise.answers],
        "let_go": promise.let_go.isoformat() if promise.let_go else None,
    }


# -- history -------------------------------------------------------------------------------------------------------------


def _history(args: argparse.Namespace, path: Path, telling: Telling) -> None:
    whole = account(read(path).entries, written=telling.written)
    if args.html:
        _write(Path(args.html).expanduser(), page(whole, telling, datetime.fromtimestamp(_now()).astimezone().date()))
    if args.json:
        _lines_of_json({"week": week.begins.isoformat(), **dict(week.counts())} for week in whole.weeks)
    elif args.html:
        print(telling.text("page_written", file=args.html))
    else:
        _print(*history_lines(whole, telling))


def history_lines(whole: Account, telling: Telling) -> list[str]:
    """The weeks as sentences, oldest first, then what else was kept."""
    lines = [telling.text("history_title"), ""]
    if whole.since is None and not whole.others:
        return [*lines, telling.text("nothing")]
    if whole.since is not None:
        lines += [telling.text("history_since", day=telling.day(whole.since), counts=counted(whole.total(), telling)),
                  telling.text("history_together"), ""]
        weeks = [(telling.day(week.begins), counted(week.counts(), telling)) for week in whole.weeks]
        lines += [telling.text("history_week", day=day, counts=counts) for day, counts in weeks]
        lines += ["", telling.text("history_quiet")] if len(whole.every_week(whole.weeks[-1].begins)) > len(whole.weeks) else []
    if whole.others:
        lines += ["", telling.text("history_else"), ""]
        lines += [else_line(one, telling) for one in whole.others]
    return lines


# -- export --------------------------------------------------------------------------------------------------------------


def _export(args: argparse.Namespace, path: Path, telling: Telling) -> None:
    kept = read(path)
    text = json.dumps(export_data(kept, telling, _now()), ensure_ascii=False, indent=2) + "\n"
    if kept.broken:
        print(telling.text("export_unread"), file=sys.stderr)
    if args.file == "-":
        print(text, end="")
        return
    _write(Path(args.file).expanduser(), text)
    print(telling.text("export_written", file=args.file))


def export_data(kept: Kept, telling: Telling, now: float) -> dict[str, object]:
    """Everything that is kept, in the shape that the head of this file describes."""
    session = None if kept.saved is None else {"saved": _iso(kept.saved.at), "state": _state(kept.saved, telling.written)}
    return {
        "format": "voiceguide",
        "version": 1,
        "about": telling.text("export_about"),
        "exported": _iso(now),
        "shape": {"ledger": telling.text("export_ledger"), "session": telling.text("export_session")},
        "ledger": [{"id": one.id, "at": _iso(one.at), "kind": one.kind, "values": _readable(one, telling.written)}
                   for one in kept.entries],
        "session": session,
    }


def _readable(entry: Entry, written: Written) -> dict[str, Any]:
    values = dict(entry.values)
    if isinstance(due := values.get("due"), (int, float)):
        values["due"] = _iso(due)
    if isinstance(text := values.get("text"), str):
        values["text"] = written(text, sentence=entry.kind in SENTENCES)
    return values


def _state(saved: Saved, written: Written) -> Any:
    """The session as plain data, and what was dictated in it as people write."""
    household = saved.snapshot.household
    promises = tuple(replace(one, text=written(one.text, sentence=True)) for one in household.promises)
    readable = replace(household, promises=promises, phrase=written(household.phrase))
    return to_plain(replace(saved.snapshot, household=readable))


def _iso(at: float) -> str:
    return datetime.fromtimestamp(at).astimezone().isoformat(timespec="seconds")


# -- erase ---------------------------------------------------------------------------------------------------------------


def _erase(args: argparse.Namespace, path: Path, telling: Telling) -> None:
    """Ask once, then erase the file and the rendered prompts. A guide that runs is not pulled away from under the couple."""
    files = [one for one in _files(path) if one.exists() or one.is_symlink()]
    prompts = _prompts()
    if not files and not prompts:
        _print(telling.text("erase_nothing", folder=path.parent))
        return
    _close_door(path)
    what = _contents(path, telling) if files else []
    if prompts:
        what.append(telling.text("erase_prompts", prompts=telling.count("prompts", len(prompts))))
    where = [telling.text("erase_where", file=path)] if files else []
    _print(telling.text("erase_question"), *(f"   {line}" for line in what), *where, telling.text("erase_stays"))
    if not args.yes and not _agreed(telling):
        _print(telling.text("erase_kept"))
        return
    _remove(path, prompts)
    done = [telling.text("erase_file", file=path)] if files else []
    done += [telling.text("erase_cache", prompts=telling.count("prompts", len(prompts)))] if prompts else []
    _print(telling.text("erase_done", what=telling.text("joint").join(done)))


def _contents(path: Path, telling: Telling) -> list[str]:
    """What the file holds, in sentences; one that cannot be read may be erased all the same."""
    try:
        kept = read(path)
    except StoreError:
        return [telling.text("erase_broken")]
    return [telling.text("erase_ledger", lines=telling.count("lines", len(kept.entries))), telling.text("erase_session")]


def _agreed(telling: Telling) -> bool:
    try:
        return telling.agrees(input(telling.text("erase_ask")))
    except EOFError:
        print()
        hint = "Add --yes to erase without asking"
        raise UsageError("nobody_to_ask", "Nobody could be asked, so nothing was erased", hint=hint) from None


def _close_door(path: Path) -> None:
    """Raises StoreError when a running guide has the file. If not, its journal is folded in."""
    try:
        if not _absent(path):
            with SqliteStore(path):
                pass
    except StoreError as error:
        if error.code == "store_in_use":
            raise


def _remove(path: Path, prompts: list[Path]) -> None:
    _close_door(path)  # again: a guide may have been started while the question was open
    try:
        for file in (*_files(path), *prompts):
            file.unlink(missing_ok=True)
    except OSError as cause:
        hint = "Close what uses it, or give the folder to your user, then erase again"
        raise StoreError("not_erased", f"{cause.filename} cannot be erased ({cause.strerror})", hint=hint) from None


def _files(path: Path) -> list[Path]:
    """The file and SQLite's own beside it, the file itself last; where it is a link, also what it leads to."""
    homes = dict.fromkeys((path.resolve(), path))
    return [Path(f"{home}{end}") for home in homes for end in (*_BESIDE, "")]


def _prompts() -> list[Path]:
    folder = Path(platformdirs.user_cache_dir("voiceguide")) / "prompts"
    return sorted(one for one in folder.glob("*") if one.is_file())


# -- output --------------------------------------------------------------------------------------------------------------


def _now() -> float:
    return time.time()


def _lines_of_json(rows: Iterable[Mapping[str, object]]) -> None:
    for row in rows:
        print(json.dumps(row, ensure_ascii=False))


def _print(*lines: str) -> None:
    for line in lines:
        print("\n".join(wrapped(line)))


def wrapped(line: str, width: int = WIDTH) -> list[str]:
    """A line in parts of at most `width` columns, further parts indented like the first. A letter of Korean takes two columns."""
    indent = " " * (len(line) - len(line.lstrip()))
    parts: list[str] = []
    for word in line.split():
        if parts and _columns(parts[-1]) + 1 + _columns(word) <= width:
            parts[-1] += f" {word}"
        else:
            parts.append(indent + word)
    return parts or [""]


def _columns(text: str) -> int:
    return sum(2 if unicodedata.east_asian_width(one) in "WF" else 1 for one in text)


def _write(file: Path, text: str) -> None:
    """Whole or not at all, for the user's eyes only. Raises UsageError naming the file."""
    try:
        if file.exists() and not file.is_file():  # a pipe, or /dev/stdout
            file.write_text(text, "utf-8")
            return
        begun, name = tempfile.mkstemp(dir=file.parent, prefix=f".{file.name}")
        try:
            with os.fdopen(begun, "w", encoding="utf-8") as target:
                target.write(text)
            Path(name).replace(file)
        except OSError:
            Path(name).unlink()
            raise
    except OSError as cause:
        hint = "Choose another place"
        raise UsageError("not_written", f"{file} cannot be written ({cause.strerror or cause})", hint=hint) from None


_COMMANDS: Mapping[str, Callable[[argparse.Namespace, Path, Telling], None]] = {
    "promises": _promises, "history": _history, "export": _export, "erase": _erase,
}
