"""The laws of a session, against a random couple (Hypothesis). Each law has a planted bug that it must find (test_planted.py)."""

from __future__ import annotations

import json

from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule

from tests.couple import PLANS, Couple
from voiceguide.core import figures
from voiceguide.core.effects import Close, Dictated, Effect, Say
from voiceguide.core.events import Cue, Failed, Heard, SpeechBegan
from voiceguide.core.machine import State
from voiceguide.core.session import Session
from voiceguide.core.snapshot import from_plain, to_plain
from voiceguide.language.contract import contract

SECRET = "wombat"  # stands for whatever a partner says
INTENTS = st.sampled_from(sorted(contract().intents))
SLOTS = st.fixed_dictionaries(
    {},
    optional={
        "return_seconds": st.sampled_from([0.0, 5.0, 60.0, 600.0, 1200.0, 1500.0, 7200.0, 86_000.0, 90_000.0, 1e9]),
        "value": st.integers(0, 10),
        "who": st.integers(0, 1),
        "judged": st.sampled_from(["ok", "missing.cue", "hedged.passive", "owned"]),
        "past": st.just(1),
    },
)
CUES = st.lists(
    st.builds(
        Cue,
        st.sampled_from(["flooding.body", "contempt", "voice.raised", "safety.fear", "safety.self_harm"]),
        st.floats(0, 1),
        st.sampled_from(["words", "voice"]),
    ),
    max_size=2,
)
UNPROMPTED = (State.RESTING, State.CLOSED, State.MUTED, State.WAITING)


class RandomCouple(RuleBasedStateMachine):
    """Says anything at any moment, waits, cuts the power."""

    def __init__(self) -> None:
        super().__init__()
        self.couple = Couple()
        self.agreed = 0.0

    @initialize()
    def begin(self) -> None:
        self.couple.begin()

    def _watch(self, effects: tuple[Effect, ...]) -> None:
        for effect in effects:
            if isinstance(effect, Say) and effect.prompt in ("return.call", "return.rate_first"):
                assert self.couple.now >= self.agreed - 1e-6, "a pause is never shorter than agreed"
        pause = self.couple.session.snapshot.pause
        self.agreed = pause.due if pause is not None and self.couple.state is State.PAUSED else self.agreed
        if pause is None:
            self.agreed = 0.0

    @rule(intent=INTENTS, slots=SLOTS, cues=CUES, patient=st.booleans())
    def hear(self, intent: str, slots: dict[str, float], cues: list[Cue], patient: bool) -> None:
        if patient:
            self.couple.listen()
        event = Heard(intent, slots, tuple(cues), text=SECRET)
        twin = Session(PLANS, self.couple.session.snapshot)
        held = bool(self.couple.session._held)
        expected = twin.handle(event, self.couple.now)
        before = self.couple.session.snapshot.clocks
        effects = self.couple.send(event)
        assert held or effects == expected, "a restored twin answers identically"
        assert before is not None
        if intent == "stop" and not cues and twin.snapshot.state is State.CLOSED and effects:
            assert any(isinstance(e, Close) for e in effects) or self.couple.state is State.CLOSED
        self._watch(effects)

    @rule(seconds=st.sampled_from([0.5, 3.0, 11.0, 31.0, 61.0, 400.0, 1300.0, 4000.0, 90_000.0]))
    def wait(self, seconds: float) -> None:
        start = len(self.couple.effects)
        self.couple.wait(seconds)
        self._watch(tuple(self.couple.effects[start:]))

    @rule(back=st.booleans())
    def agree_on_a_pause(self, back: bool) -> None:
        start = len(self.couple.effects)
        self.couple.hear("pause").hear("return_time", {"return_seconds": 1500.0}).hear("yes").listen()
        self._watch(tuple(self.couple.effects[start:]))
        if back:
            start = len(self.couple.effects)
            self.couple.hear("here")
            self._watch(tuple(self.couple.effects[start:]))

    @rule()
    def dictate_a_promise(self) -> None:
        for intent in ("stop", "fight", "yes", "done"):
            self.couple.hear(intent)
        self.couple.wait(6.0).hear("done").hear("talk", text=SECRET).listen()

    @rule()
    def speech_begins(self) -> None:
        self.couple.send(SpeechBegan())

    @rule(part=st.sampled_from(["ear", "voice", "store"]))
    def fail(self, part: str) -> None:
        self.couple.send(Failed(part))

    @rule(away=st.sampled_from([0.0, 5.0, 600.0, 2400.0, 86_400.0]), trusted=st.booleans())
    def power_cut(self, away: float, trusted: bool) -> None:
        old = self.couple
        restored = from_plain(json.loads(json.dumps(to_plain(old.session.snapshot))))
        self.couple = Couple(PLANS, restored, old.now + away)
        self.couple.begin(trusted=trusted)
        if not trusted:
            self.agreed = 0.0
        self.couple.run_clocks()

    @invariant()
    def never_stuck(self) -> None:
        snapshot = self.couple.session.snapshot
        if snapshot.state in UNPROMPTED:
            return
        if snapshot.state is State.PAUSED:
            assert any(c.name == "return" for c in snapshot.clocks), "a pause without an end"
            return
        assert snapshot.unsaid or snapshot.clocks, f"stuck in {snapshot.state}"

    @invariant()
    def nothing_said_is_kept(self) -> None:
        assert SECRET not in json.dumps(to_plain(self.couple.session.snapshot))
        assert SECRET not in repr(self.couple.effects)
        for effect in self.couple.effects:
            values = getattr(effect, "slots", None) or getattr(effect, "values", None) or {}
            for value in values.values():
                assert not (isinstance(value, str) and SECRET in value), "only dictated words may travel, wrapped"
                assert isinstance(value, (Dictated, str, int, float)) or value is not None

    @invariant()
    def a_pause_is_between_twenty_minutes_and_a_day(self) -> None:
        pause = self.couple.session.snapshot.pause
        if pause is not None and pause.due and self.couple.state is State.PAUSED:
            assert pause.due - self.couple.now <= figures.PAUSE_LONGEST + figures.MINUTE

    @invariant()
    def floor_time_is_counted_for_both(self) -> None:
        assert min(self.couple.session.snapshot.floor) >= 0.0


RandomCouple.TestCase.settings = settings(
    max_examples=60, stateful_step_count=40, deadline=None, suppress_health_check=list(HealthCheck)
)
TestRandomCouple = RandomCouple.TestCase
