"""The random couple must find these bugs: each is planted, and the laws have to kill it. A law that cannot fail is no law."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import HealthCheck, Phase, settings
from hypothesis.stateful import run_state_machine_as_test

from tests.test_laws import RandomCouple
from voiceguide.core import returning, session, snapshot
from voiceguide.core.draft import Draft
from voiceguide.core.effects import Dictated
from voiceguide.core.events import Heard
from voiceguide.core.machine import State, Trigger

SETTINGS = settings(
    max_examples=400,
    stateful_step_count=40,
    deadline=None,
    suppress_health_check=list(HealthCheck),
    derandomize=True,
    database=None,
    phases=[Phase.generate],
)


def _return_clock_dies_with_the_process(patch: pytest.MonkeyPatch) -> None:
    original = Draft.start_at
    patch.setattr(Draft, "start_at", lambda self, name, due, durable=False: original(self, name, due))


def _coming_early_ends_the_pause(patch: pytest.MonkeyPatch) -> None:
    def paused(draft: Draft, heard: Heard) -> bool:
        if heard.intent == "here":
            draft.go(Trigger.RETURN_DUE)
            returning.come_back(draft)
        return True

    patch.setitem(session._ANSWERS, State.PAUSED, paused)


def _what_is_dictated_is_saved(patch: pytest.MonkeyPatch) -> None:
    original = snapshot.to_plain

    def to_plain(value: Any) -> Any:
        return value.text if isinstance(value, Dictated) else original(value)

    patch.setattr(snapshot, "to_plain", to_plain)
    patch.setattr("tests.test_laws.to_plain", to_plain)


def _silence_is_never_noticed(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(session, "_spoken", lambda draft, event: draft.set(unsaid=()))


def _memory_outside_the_snapshot(patch: pytest.MonkeyPatch) -> None:
    heard_before: list[str] = []
    original = session._heard

    def heard(draft: Draft, event: Heard) -> None:
        heard_before.append(event.intent)
        if len(heard_before) % 7 == 0:
            draft.chime("beat")
        original(draft, event)

    patch.setattr(session, "_heard", heard)


@pytest.mark.parametrize(
    "plant",
    [
        _return_clock_dies_with_the_process,
        _coming_early_ends_the_pause,
        _what_is_dictated_is_saved,
        _silence_is_never_noticed,
        _memory_outside_the_snapshot,
    ],
    ids=lambda plant: plant.__name__.strip("_"),
)
def test_the_laws_find(plant: Callable[[pytest.MonkeyPatch], None], monkeypatch: pytest.MonkeyPatch) -> None:
    plant(monkeypatch)
    with pytest.raises(Exception):  # noqa: B017 - any law, or Hypothesis' report of several
        run_state_machine_as_test(RandomCouple, settings=SETTINGS)
