"""The crash matrix: every dialogue, killed before and after every commit, shows no difference but repeated prompts."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.test_dialogues import FILES, ZONE, language_of
from voiceguide.assembly import Content
from voiceguide.core.effects import Remember
from voiceguide.core.snapshot import Snapshot
from voiceguide.dialogue import Dialogue, Line, read_dialogue
from voiceguide.rehearsing import Moment, Rehearsal
from voiceguide.runtime.store import MemoryStore


class PowerCut(Exception):  # noqa: N818 - not an error of ours
    """The process is gone."""


class FragileStore(MemoryStore):
    """Dies once, at commit number `at`: before it is written, or right after."""

    def __init__(self, at: int = 0, *, after: bool = False) -> None:
        super().__init__()
        self.commits = 0
        self._at, self._after = at, after

    def commit(self, snapshot: Snapshot, remembered: tuple[Remember, ...], now: float) -> None:
        self.commits += 1
        if self.commits == self._at and not self._after:
            raise PowerCut
        super().commit(snapshot, remembered, now)
        if self.commits == self._at:
            raise PowerCut


class Fragile(Rehearsal):
    """A rehearsal whose process may die at any commit and is started again at once."""

    def __init__(self, content: Content, dialogue: Dialogue, store: FragileStore) -> None:
        self._saying: tuple[Line, float] | None = None
        self._written = 0
        super().__init__(content, dialogue, ZONE, store)

    def _end(self, line: Line, seconds: float) -> None:
        self._saying, self._written = (line, seconds), self.store.commits  # type: ignore[attr-defined]
        super()._end(line, seconds)
        self._saying = None

    def play(self) -> list[Moment]:
        while True:
            try:
                return super().play()
            except PowerCut:
                self._restart()

    def _restart(self) -> None:
        saying, self._saying = self._saying, None
        self.mouth.on_spoken = lambda number, seconds, complete: None  # noqa: ARG005 - nobody is there to be told
        self.mouth.hush()
        saved = self.store.load()
        lost = saying is not None and (saved is None or not self._was_saved)
        self._build()
        if lost and saying is not None:  # they see that nothing happened, and say it again
            self.moments = self.moments[: len(self.moments)]
            self.guide.utterance(saying[0].text, saying[1])

    @property
    def _was_saved(self) -> bool:
        store = self.store
        return isinstance(store, FragileStore) and store._after  # noqa: SLF001 - the harness's own store


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


@pytest.mark.parametrize("path", FILES, ids=lambda p: p.stem)
def test_a_crash_at_any_commit_only_repeats_prompts(path: Path) -> None:
    dialogue = read_dialogue(path)
    content = Content.load(language_of(path), encoder=False)
    store = FragileStore()
    whole = Fragile(content, dialogue, store)
    said, expected = prompts(whole.play()), outcome(whole)
    faults = []
    for at in range(2, store.commits + 1):
        for after in (False, True):
            broken = Fragile(content, dialogue, FragileStore(at, after=after))
            heard = prompts(broken.play())
            if problem := differs(said, heard):
                faults.append(f"commit {at} {'after' if after else 'before'}: {problem}")
            if outcome(broken) != expected:
                faults.append(f"commit {at} {'after' if after else 'before'}: {outcome(broken)} instead of {expected}")
    assert not faults, f"{len(faults)} of {2 * (store.commits - 1)}: " + "; ".join(faults[:6])
