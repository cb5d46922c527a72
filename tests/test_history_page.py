"""The page of the weeks: readable without network, script or eyes, and every number behind a drawing also in a table."""

from __future__ import annotations

import re
from datetime import date, timezone
from html.parser import HTMLParser
from itertools import pairwise
from pathlib import Path

from tests.ledger import EN, Run, at, fill, kept_in
from voiceguide.accounts import account
from voiceguide.history_page import WEEKS_DRAWN, page
from voiceguide.runtime.store import Entry


class Page(HTMLParser):
    """Reads a page as a screen reader would; unbalanced markup is an error."""

    def __init__(self) -> None:
        super().__init__()
        self.open: list[str] = []
        self.heads: list[int] = []
        self.pictures: list[str] = []
        self.cells: list[str] = []
        self.attributes: list[tuple[str, str]] = []
        self.words = ""

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        given = {key: value or "" for key, value in attrs}
        self.attributes += given.items()
        if re.fullmatch("h[1-6]", tag):
            self.heads.append(int(tag[1]))
        if tag == "svg":
            self.pictures.append(given["aria-label"])
        if tag not in ("meta", "rect", "line"):
            self.open.append(tag)

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.handle_starttag(tag, attrs)

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag

    def handle_data(self, data: str) -> None:
        if self.open and self.open[-1] in ("td", "th"):
            self.cells.append(data)
        if self.open and self.open[-1] != "style":
            self.words += data


def read_page(text: str) -> Page:
    found = Page()
    found.feed(text)
    assert not found.open
    return found


def test_the_page_is_one_file_without_network_or_script(run: Run, home: Path, tmp_path: Path) -> None:
    fill(home)
    code, out, _ = run("history", "--html", str(tmp_path / "history.html"))
    text = (tmp_path / "history.html").read_text("utf-8")
    found = read_page(text)
    assert code == 0 and "history.html" in out
    assert not re.search(r"https?:|//|<script|<link|<img|<iframe|@import|url\(", text)
    assert not {"src", "href", "onclick", "onload"} & {key for key, _ in found.attributes}
    assert "default-src 'none'" in text and "prefers-color-scheme" in text


def test_headings_go_down_one_level_at_a_time(home: Path) -> None:
    fill(home)
    heads = read_page(page(account(kept_in(home), timezone.utc), EN, date(2026, 4, 20))).heads
    assert heads[0] == 1 and heads.count(1) == 1
    assert all(later - earlier <= 1 for earlier, later in pairwise(heads))


def test_behind_every_drawing_stands_a_table_with_the_same_numbers(home: Path) -> None:
    fill(home)
    found = read_page(page(account(kept_in(home), timezone.utc), EN, date(2026, 4, 20)))
    assert len(found.pictures) == 3
    assert found.pictures[0] == "9 Mar 1, 23 Mar 1"
    first = found.cells.index("2 March 2026")
    assert found.cells[first : first + 7] == ["2 March 2026", "0", "0", "0", "1", "1", "1"]


def test_what_was_dictated_is_never_markup() -> None:
    evil = '"><script>alert(1)</script>{giver}'
    lines = [Entry(1, at(0), "name_first", {"text": evil}), Entry(2, at(0), "promise", {"id": 1, "text": evil, "who": 0}),
             Entry(3, at(0), "request", {"text": evil})]
    text = page(account(lines, timezone.utc), EN, date(2026, 4, 20))
    assert "<script" not in text
    assert read_page(text).words.count(evil) == 3


def test_a_long_history_is_drawn_for_half_a_year_and_listed_whole() -> None:
    lines = [Entry(n, at(7 * n), "kept", {"id": 1}) for n in range(100)]
    text = page(account(lines, timezone.utc), EN, date(2028, 1, 24))
    assert text.count("<rect") == WEEKS_DRAWN
    assert text.count('<th scope="row">') == 100
