"""The crash matrix: every dialogue of the pause, killed before and after every commit, shows no difference but repeated prompts.

A spread of commits is taken, and all of them with `--thorough`. The long talks are left out: a written couple does not notice
that a question came again in the middle of a telling, so its further lines no longer fit; `repair_lost_dictation`,
`repair_next_day` and the twins of test_laws.py hold what matters there.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from tests.test_dialogues import FILES, ZONE, language_of
from voiceguide.assembly import Content
from voiceguide.core.effects import Remember
from voiceguide.core.snapshot import Snapshot
from voiceguide.dialogue import Dialogue, Line, read_dialogue
from voiceguide.rehearsing import Moment, Rehearsal
from voiceguide.runtime.store import MemoryStore

SAMPLE = 24  # commits of one dialogue


class PowerCut(Exception):  # noqa: N818 - not an error of ours
    """The process is gone."""


class FragileStore(MemoryStore):
    """Dies once, at commit number `at`: before it is written, or right after."""

    def __init__(self, at: int = 0, *, after: bool = False) -> None:
        super().__init__()
        self.commits = 0
        self._at, self.after = at, after

    def commit(self, snapshot: Snapshot, remembered: tuple[Remember, ...], now: float) -> None:
        self.commits += 1
        if self.commits == self._at and not self.after:
            raise PowerCut
        super().commit(snapshot, remembered, now)
        if self.commits == self._at:
            raise PowerCut


class Fragile(Rehearsal):
    """A rehearsal whose process may die at any commit and is started again at once.

    Its couple behaves as people do: when a question comes again to which they had just given an answer, they answer again.
    """

    def __init__(self, content: Content, dialogue: Dialogue, store: FragileStore) -> None:
        self._answered = ""  # the question that was open when the last line was said
        self._said = 0  # and the number of that line
        self._unheard = False  # whether it is being heard right now
        super().__init__(content, dialogue, ZONE, store)

    def _end(self, line: Line, seconds: float) -> None:
        asked = self.session.snapshot.asked
        self._answered, self._said = asked.prompt if asked else self.session.snapshot.state.value, self._next
        self._unheard = True
        super()._end(line, seconds)
        self._unheard = False

    def play(self) -> list[Moment]:
        while True:
            try:
                return super().play()
            except PowerCut:
                self._restart()

    def _restart(self) -> None:
        self.mouth.on_spoken = lambda number, seconds, complete: None
        self.mouth.hush()
        self._quiet_since = self.timeline.now()
        self._build()
        asked = self.session.snapshot.asked
        again = asked is not None and asked.prompt == self._answered
        lost = self._unheard and isinstance(self.store, FragileStore) and not self.store.after
        self._unheard = False
        if (again or lost) and self._said == self._next and not self._speech:
            lines = list(self._dialogue.lines)
            self._next -= 1
            lines[self._next] = replace(lines[self._next], at=3.0, relative=True)
            self._dialogue = replace(self._dialogue, lines=tuple(lines))


def outcome(rehearsal: Fragile) -> tuple[object, ...]:
    """What must not depend on a crash: where the couple is, what was agreed, what the ledger holds."""
    saved = rehearsal.store.load()
    assert saved is not None
    kinds = [(entry.kind, entry.values.get("text")) for entry in rehearsal.store.entries()]
    return saved.snapshot.state, saved.snapshot.pause is not None, saved.snapshot.household.names, kinds


def differs(whole: list[str], broken: list[str]) -> str:
    """Empty when `broken` says all of `whole` in order, and beside it only things that `whole` says too."""
    rest: Iterator[str] = iter(broken)
    for prompt in whole:
        if prompt not in rest:  # consumes up to and including it
            return f"{prompt} was never said"
    strange = set(broken) - set(whole)
    return f"said besides: {', '.join(sorted(strange))}" if strange else ""


def prompts(moments: list[Moment]) -> list[str]:
    return [m.prompt for m in moments if m.prompt]


PAUSES = [path for path in FILES if path.stem.startswith(("pause_", "stop_", "beat", "ordinary", "rising"))]


@pytest.mark.parametrize("path", PAUSES, ids=lambda p: p.stem)
def test_a_crash_at_any_commit_only_repeats_prompts(path: Path, thorough: bool) -> None:
    dialogue = read_dialogue(path)
    content = Content.load(language_of(path), encoder=False)
    store = FragileStore()
    whole = Fragile(content, dialogue, store)
    said, expected = prompts(whole.play()), outcome(whole)
    faults = []
    points = range(2, store.commits + 1)
    if not thorough:
        points = range(2 + len(path.stem) % max(store.commits // SAMPLE, 1), store.commits + 1, max(store.commits // SAMPLE, 1))
    for at in points:
        for after in (False, True):
            broken = Fragile(content, dialogue, FragileStore(at, after=after))
            heard = prompts(broken.play())
            if problem := differs(said, heard):
                faults.append(f"commit {at} {'after' if after else 'before'}: {problem}")
            if outcome(broken) != expected:
                faults.append(f"commit {at} {'after' if after else 'before'}: {outcome(broken)} instead of {expected}")
    assert not faults, f"{len(faults)} of {2 * len(points)}: " + "; ".join(faults[:6])
