"""What was agreed can be seen, taken along and erased; looking changes nothing, and nobody is compared with anybody."""

from __future__ import annotations

import json
import os
import re
import signal
import sqlite3
import subprocess
import sys
from collections.abc import Callable, Iterator
from datetime import date, datetime, timedelta, timezone
from itertools import pairwise
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.ledger import EN, LINES, PROMISE, Run, at, fill, kept_in, spoil
from voiceguide import ledgers
from voiceguide.accounts import account, monday
from voiceguide.core.effects import Dictated, Remember
from voiceguide.core.snapshot import Household, Promised, Snapshot
from voiceguide.history_page import page
from voiceguide.language.contract import read_toml
from voiceguide.runtime.store import FILE, Entry, SqliteStore

ROOT = Path(__file__).parents[1]
SHOWN = "When I come home after seven I'll text you before six on Friday"  # as people do
KINDS = ["promise", "kept", "missed", "not_yet", "let_go", "pause", "return_kept", "name_first", "name_second", "request",
         "pattern", "phrase", "later", "consent", "checkin", "of_the_future"]
Row = tuple[str, float, "dict[str, object]"]


# -- promises ------------------------------------------------------------------------------------------------------------


def test_a_promise_is_told_with_its_giver_day_theme_and_counts(run: Run, home: Path) -> None:
    fill(home)
    code, out, _ = run("promises")
    told = " ".join(out.split())
    assert code == 0
    assert "1. Noor, on 2 March 2026, about reliability:" in told
    assert SHOWN in told
    assert "So far: kept 2 times, missed once, not yet once." in told


def test_a_promise_for_programs_is_one_object_a_line(run: Run, home: Path) -> None:
    fill(home)
    _, out, _ = run("promises", "--json")
    (row,) = [json.loads(line) for line in out.splitlines()]
    assert (row["id"], row["giver"], row["theme"], row["made"], row["let_go"]) == (1, "Noor", "reliability", "2026-03-02", None)
    assert (row["text"], row["kept"], row["missed"], row["not_yet"]) == (SHOWN, 2, 1, 1)
    assert row["answers"][0] == {"day": "2026-03-09", "answer": "kept"}


def test_a_promise_that_was_let_go_says_so_without_a_reason(run: Run, home: Path) -> None:
    fill(home, [*LINES, (40, Remember("let_go", {"id": 1}))])
    assert "Let go on 11 April 2026." in run("promises")[1]


def test_a_promise_that_no_check_in_asked_about_is_not_counted_as_missed(run: Run, home: Path) -> None:
    fill(home, LINES[:6])
    out = run("promises")[1]
    assert "No check-in has asked about it yet." in out and "missed" not in out


@pytest.mark.parametrize("words", [["promises"], ["promises", "--json"], ["history"], ["export"], ["history", "--html"]])
def test_what_was_dictated_is_shown_as_people_write_it(run: Run, home: Path, tmp_path: Path, words: list[str]) -> None:
    promised = (Promised(1, PROMISE, made=at(0)),)
    with SqliteStore(home / FILE) as store:
        for kind in ("promise", "request", "phrase", "pattern", "later"):
            line = Remember(kind, {"id": 1, "text": Dictated(f"i think i am lost when {kind} i'll see")})
            store.commit(Snapshot(household=Household(phrase="i am lost", promises=promised)), (line,), at(0))
    page = tmp_path / "page.html"
    out = run(*words, str(page))[1] + page.read_text("utf-8") if "--html" in words else run(*words)[1]
    assert re.search(r"\bI\b", out) and not re.search(r"\bi\b(?!['’]?>)", re.sub(r"<style.*?</style>", "", out, flags=re.DOTALL))
    assert ("I think I am lost when promise I'll see" in " ".join(out.split()).replace("&#x27;", "'")) == (words != ["history"])


@pytest.mark.parametrize("command", ["promises", "history"])
def test_every_line_fits_eighty_columns(run: Run, home: Path, command: str) -> None:
    wide = Dictated("저녁을 먹을 때 나는 전화기를 서랍에 넣고 식탁을 다 치울 때까지 꺼내지 않을게, 매일 저녁마다 " * 2)
    fill(home, [*LINES, (36, Remember("promise", {"id": 2, "text": wide, "who": 0, "theme": "presence"}))])
    assert all(ledgers._columns(line) <= 80 for line in run(command)[1].splitlines())


def test_words_for_a_terminal_hold_no_command_for_it(run: Run, home: Path) -> None:
    fill(home, [(0, Remember("promise", {"id": 1, "text": Dictated("when \x1b[31mred\x07\nthen")}))])
    out = run("promises")[1]
    assert "\x1b" not in out and "\x07" not in out and "When [31mred then" in out


# -- history -------------------------------------------------------------------------------------------------------------


def test_weeks_are_counted_for_both_together(run: Run, home: Path) -> None:
    fill(home)
    out = " ".join(run("history")[1].split())
    assert "Week of 2 March 2026: 1 pause, 1 return, 1 promise given." in out
    assert "Week of 9 March 2026: at check-ins kept once." in out
    assert "Week of 16 March" not in out
    assert "yellow umbrella" in out


def test_history_names_nobody_but_the_giver_of_a_promise(run: Run, home: Path) -> None:
    fill(home)
    assert "Alex" not in run("history")[1] and "Noor" not in run("history")[1]
    whole = page(account(kept_in(home), timezone.utc), EN, date(2026, 4, 20))
    assert "Alex" not in whole
    assert whole.count("Noor") == 1


def test_a_week_for_programs_is_one_object_a_line(run: Run, home: Path) -> None:
    fill(home)
    rows = [json.loads(line) for line in run("history", "--json")[1].splitlines()]
    assert rows[0] == {"week": "2026-03-02", "pauses": 1, "returns": 1, "promised": 1, "kept": 0, "missed": 0, "not_yet": 0}
    assert [row["week"] for row in rows] == ["2026-03-02", "2026-03-09", "2026-03-23", "2026-03-30", "2026-04-06"]


def test_no_word_of_praise_or_shame_is_in_the_ledgers_words() -> None:
    weighing = r"\b(well done|great|good|bad|sorry|fail\w*|only|already|proud|should|unfortunately|congrat\w*|streak|score)\b"
    assert not re.search(weighing, json.dumps(read_toml("en", "ledger.toml"), default=str).lower())


odd_values = st.one_of(st.integers(-2, 9), st.text(max_size=20), st.none(), st.floats(allow_nan=False, allow_infinity=False))
odd_lines = st.tuples(st.sampled_from(KINDS), st.floats(0, 900),
                      st.dictionaries(st.sampled_from(["id", "who", "text", "theme", "due"]), odd_values))


def entries_of(rows: list[Row]) -> list[Entry]:
    in_order = sorted(rows, key=lambda row: row[1])
    return [Entry(number, at(day), kind, dict(values)) for number, (kind, day, values) in enumerate(in_order, 1)]


@settings(deadline=None)
@given(st.lists(odd_lines, max_size=30))
def test_odd_lines_never_stop_the_rest_and_no_answer_is_lost(rows: list[Row]) -> None:
    whole = account(entries_of(rows), timezone.utc)
    totals = dict(whole.total())
    for kind, name in (("kept", "kept"), ("missed", "missed"), ("pause", "pauses"), ("return_kept", "returns")):
        assert totals[name] == sum(row[0] == kind for row in rows)
    every = whole.every_week(date(2028, 9, 1))
    assert all(later.begins - earlier.begins == timedelta(weeks=1) for earlier, later in pairwise(every))
    assert all(week.begins == monday(week.begins) for week in every)
    page(whole, EN, date(2028, 9, 1))
    ledgers.history_lines(whole, EN)


# -- export --------------------------------------------------------------------------------------------------------------


def test_an_export_holds_every_line_and_the_session(run: Run, home: Path, tmp_path: Path) -> None:
    fill(home)
    printed = json.loads(run("export")[1])
    assert run("export", str(tmp_path / "all.json"))[0] == 0
    written = json.loads((tmp_path / "all.json").read_text("utf-8"))
    assert written["ledger"] == printed["ledger"] and len(written["ledger"]) == len(LINES)
    assert (written["format"], written["version"]) == ("voiceguide", 1)
    assert written["ledger"][5]["values"] == {"id": 1, "text": SHOWN, "who": 1, "theme": "reliability"}
    assert datetime.fromisoformat(written["ledger"][3]["values"]["due"]).timestamp() == at(0) + 1500
    assert written["session"]["state"]["state"] == "resting"


@pytest.mark.skipif(os.name != "posix", reason="rights of files are said in this way on POSIX only")
def test_what_is_written_out_is_for_its_owner_alone(run: Run, home: Path, tmp_path: Path) -> None:
    fill(home)
    run("export", str(tmp_path / "all.json"))
    run("history", "--html", str(tmp_path / "page.html"))
    assert all((tmp_path / name).stat().st_mode & 0o077 == 0 for name in ("all.json", "page.html"))


def test_an_export_survives_a_session_that_cannot_be_understood(run: Run, home: Path) -> None:
    path = fill(home)
    with sqlite3.connect(path) as db:
        db.execute("UPDATE snapshot SET data = '{\"version\": 0}'")
    code, out, err = run("export")
    assert code == 0 and json.loads(out)["session"] is None and "ledger" in err
    assert len(json.loads(out)["ledger"]) == len(LINES)


def test_a_place_that_cannot_be_written_is_one_sentence_and_leaves_nothing(run: Run, home: Path, tmp_path: Path) -> None:
    fill(home)
    code, _, err = run("export", str(tmp_path / "no" / "all.json"))
    assert code == 2 and "cannot be written" in err
    assert run("history", "--html", str(tmp_path))[0] == 2
    assert sorted(one.name for one in tmp_path.iterdir()) == ["data"]


# -- where there is nothing, or something else ---------------------------------------------------------------------------


@pytest.mark.parametrize("words", [["promises"], ["history"], ["promises", "--json"], ["history", "--json"], ["export"],
                                   ["erase"]])
def test_where_nothing_is_kept_nothing_is_made(run: Run, home: Path, words: list[str]) -> None:
    code, out, _ = run(*words)
    assert code == 0 and not home.exists()
    assert ("--json" in words) == (not out)


def test_a_page_of_nothing_says_so(run: Run, home: Path, tmp_path: Path) -> None:
    run("history", "--html", str(tmp_path / "page.html"))
    assert "Nothing is kept yet." in (tmp_path / "page.html").read_text("utf-8")


@pytest.mark.parametrize("command", ["promises", "history", "export"])
def test_looking_changes_nothing(run: Run, home: Path, command: str) -> None:
    path = fill(home)
    before = (path.read_bytes(), sorted(home.iterdir()))
    assert run(command)[0] == 0
    assert (path.read_bytes(), sorted(home.iterdir())) == before


def test_lines_that_a_power_cut_left_in_the_journal_are_seen(run: Run, home: Path) -> None:
    program = f"""
import os, sys
from pathlib import Path
from tests.ledger import fill, LINES, at
from voiceguide.runtime.store import FILE, SqliteStore
from voiceguide.core.snapshot import Snapshot
store = SqliteStore(Path({str(home)!r}) / FILE); store.open()
for day, line in LINES: store.commit(Snapshot(), (line,), at(day))
os.kill(os.getpid(), {int(getattr(signal, "SIGKILL", signal.SIGTERM))})
"""
    subprocess.run([sys.executable, "-c", program], cwd=ROOT, check=False)
    assert (home / f"{FILE}-wal").stat().st_size
    assert len(json.loads(run("export")[1])["ledger"]) == len(LINES)


GUIDE = """
import sys
from pathlib import Path
from tests.ledger import EN, LINES, at
from voiceguide.core.snapshot import Snapshot
from voiceguide.runtime.store import SqliteStore
with SqliteStore(Path(sys.argv[1])) as store:
    for line in sys.stdin:
        store.commit(Snapshot(), (LINES[-1][1],), at(50 + int(line)))
        print("kept", flush=True)
"""


@pytest.fixture
def guide(home: Path) -> Iterator[Callable[[int], None]]:
    """A guide in a process of its own, which keeps one line more on the day that it is told."""
    path = fill(home)
    words = [sys.executable, "-c", GUIDE, str(path)]
    with subprocess.Popen(words, cwd=ROOT, text=True, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as running:

        def keep(day: int) -> None:
            assert running.stdin and running.stdout
            print(day, file=running.stdin, flush=True)
            assert running.stdout.readline() == "kept\n"

        keep(0)
        yield keep
        running.communicate(timeout=20)
        assert running.returncode == 0


@pytest.mark.parametrize("words", [["promises"], ["history"], ["export"], ["promises", "--json"]])
def test_one_may_look_while_a_guide_runs_and_it_is_not_disturbed(
    run: Run, home: Path, guide: Callable[[int], None], words: list[str]
) -> None:
    before = run("export")[1]
    assert len(json.loads(before)["ledger"]) == len(LINES) + 1, "what the guide has just kept is there"
    code, out, err = run(*words)
    assert code == 0 and out and not err
    guide(1)
    assert len(json.loads(run("export")[1])["ledger"]) == len(LINES) + 2


def test_what_is_read_is_of_one_moment_and_keeps_no_guide_waiting(home: Path, guide: Callable[[int], None]) -> None:
    with SqliteStore(home / FILE, read_only=True) as looking:
        before = len(looking.entries())
        guide(1)
        assert len(looking.entries()) == before
    assert len(kept_in(home)) == before + 1


def test_nothing_is_erased_from_under_a_running_guide(run: Run, home: Path, guide: Callable[[int], None]) -> None:
    code, out, err = run("erase", "--yes")
    assert code == 5 and "Close it first" in err and not out
    guide(1)
    assert len(kept_in(home)) == len(LINES) + 2


@pytest.mark.parametrize("words", [["promises"], ["history"], ["export"]])
@pytest.mark.parametrize(("fault", "sentence"), [("broken", "cannot be read"), ("newer", "newer voiceguide"),
                                                 ("foreign", "cannot be read")])
def test_a_file_that_cannot_be_read_is_one_sentence_and_stays(
    run: Run, home: Path, words: list[str], fault: str, sentence: str
) -> None:
    path = spoil(home, fault)
    before = path.read_bytes()
    code, out, err = run(*words)
    assert code == 5 and sentence in err and not out
    assert path.read_bytes() == before


def test_a_ledger_line_that_is_no_data_is_one_sentence(run: Run, home: Path) -> None:
    path = fill(home)
    with sqlite3.connect(path) as db:
        db.execute("UPDATE ledger SET content = 'half a li' WHERE id = 3")
    db.close()
    code, _, err = run("promises")
    assert code == 5 and "half" not in err


def test_a_file_that_was_only_begun_counts_as_nothing(run: Run, home: Path) -> None:
    home.mkdir()
    (home / FILE).touch()
    assert run("promises")[0] == 0
