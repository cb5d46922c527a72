"""Erasing: what goes is said, asked about once, and then nothing is left."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from tests.ledger import LINES, Run, fill, kept_in, spoil
from voiceguide.runtime.store import FILE, SqliteStore


def test_erasing_says_what_goes_asks_once_and_leaves_nothing(
    run: Run, home: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    fill(home)
    (tmp_path / "cache" / "prompts").mkdir(parents=True)
    (tmp_path / "cache" / "prompts" / "a.clip").write_bytes(b"x")
    asked: list[str] = []

    def answer_yes(question: str) -> str:
        asked.append(question)
        return "yes"

    monkeypatch.setattr("builtins.input", answer_yes)
    code, out, _ = run("erase")
    told = " ".join(out.split())
    assert code == 0 and len(asked) == 1
    assert f"what you agreed ({len(LINES)} lines)" in told and "1 file" in told and str(home / FILE) in "".join(out.split())
    assert "Erased: the file" in told
    assert not list(home.iterdir()) and not list((tmp_path / "cache" / "prompts").iterdir())


@pytest.mark.parametrize("answer", ["no", "", "n", "maybe", "yes please no"])
def test_anything_but_a_yes_erases_nothing(run: Run, home: Path, monkeypatch: pytest.MonkeyPatch, answer: str) -> None:
    fill(home)
    before = kept_in(home)
    monkeypatch.setattr("builtins.input", lambda question: answer)
    code, out, _ = run("erase")
    assert code == 0 and "Nothing was erased." in out and kept_in(home) == before


def test_where_nobody_can_be_asked_nothing_is_erased(run: Run, home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = fill(home)

    def closed(question: str) -> str:
        raise EOFError

    monkeypatch.setattr("builtins.input", closed)
    code, _, err = run("erase")
    assert code == 2 and "--yes" in err and path.exists()


@pytest.mark.parametrize("fault", ["broken", "newer", "foreign"])
def test_what_cannot_be_read_can_still_be_erased(run: Run, home: Path, fault: str) -> None:
    spoil(home, fault)
    assert run("erase", "--yes")[0] == 0
    assert not list(home.iterdir())


@pytest.mark.skipif(os.name != "posix", reason="links need a right of their own on Windows")
def test_erasing_follows_a_link_to_the_words_themselves(run: Run, home: Path, tmp_path: Path) -> None:
    path = fill(home)
    path.rename(tmp_path / "elsewhere.sqlite")
    path.symlink_to(tmp_path / "elsewhere.sqlite")
    assert run("erase", "--yes")[0] == 0
    assert not (tmp_path / "elsewhere.sqlite").exists() and not path.is_symlink()


def test_after_erasing_a_guide_begins_afresh(run: Run, home: Path) -> None:
    path = fill(home)
    run("erase", "--yes")
    with SqliteStore(path) as store:
        assert store.load() is None and not store.entries()
