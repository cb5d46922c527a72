"""A couple for tests of the core: sends events, performs nothing, and lets prompts be heard when told to."""

from __future__ import annotations

from collections.abc import Mapping

from voiceguide.core.effects import Effect, Hush, Patience, Say
from voiceguide.core.events import Began, Cue, Event, Heard, Slot, Spoken
from voiceguide.core.machine import State
from voiceguide.core.plan import Floor, Kind, Plan, Plans, Step
from voiceguide.core.session import Session
from voiceguide.core.snapshot import Snapshot

EVENING = 60.0 * 29_000_000  # a whole minute

TALK = Plan(
    name="small",
    start="hello",
    steps={
        "hello": Step("hello", Kind.SAY, prompt="small.hello", next="who"),
        "who": Step("who", Kind.ASK, prompt="small.who", expect="yes_no", on={"yes": "turn", "no": "@close"}, silence="@rest"),
        "turn": Step("turn", Kind.TALK, prompt="small.turn", expect="talk", seconds=30, floor=Floor.SPEAKER, next="swap"),
        "swap": Step("swap", Kind.SWAP, next="breath", limit=1, exhausted="promise"),
        "breath": Step("breath", Kind.WAIT, seconds=5, next="turn"),
        "promise": Step(
            "promise", Kind.ASK, prompt="small.promise", expect="promise", patience=Patience.OPEN, dictates="promise", next="sure"
        ),
        "sure": Step(
            "sure", Kind.ASK, prompt="small.sure", expect="yes_no", resume_at="promise", on={"yes": "kept", "no": "promise"}
        ),
        "kept": Step("kept", Kind.SAY, prompt="small.kept", keeps="promise", next="@rest"),
    },
    opened_by=("fight",),
)
PLANS: Plans = {"small": TALK}


class Couple:
    """Drives one session in virtual time. `said` collects prompt ids."""

    def __init__(self, plans: Plans = PLANS, snapshot: Snapshot | None = None, now: float = EVENING) -> None:
        self.session = Session(plans, snapshot)
        self.now = now
        self.said: list[str] = []
        self.effects: list[Effect] = []
        self._sounding: list[Say] = []

    @property
    def state(self) -> State:
        return self.session.snapshot.state

    def send(self, event: Event) -> tuple[Effect, ...]:
        effects = self.session.handle(event, self.now)
        for effect in effects:
            if isinstance(effect, Hush):
                self._sounding.clear()
            elif isinstance(effect, Say):
                self._sounding.append(effect)
                self.said.append(effect.prompt)
        self.effects += effects
        return effects

    def begin(self, *, trusted: bool = True) -> Couple:
        self.send(Began(trusted))
        return self

    def hear(self, intent: str, slots: Mapping[str, Slot] | None = None, cues: tuple[Cue, ...] = (), text: str = "") -> Couple:
        self.listen()
        self.send(Heard(intent, slots or {}, cues, seconds=2.0, text=text))
        return self

    def interrupt(self, intent: str) -> tuple[Effect, ...]:
        """Say something while the guide still speaks."""
        return self.send(Heard(intent))

    def listen(self) -> Couple:
        """Let everything that waits to be said be heard."""
        while self._sounding:
            say = self._sounding.pop(0)
            self.now += 2.0
            self.send(Spoken(say.number, 2.0))
            self.run_clocks()
        return self

    def run_clocks(self) -> None:
        while due := self.session.due(self.now):
            self.send(due[0])

    def wait(self, seconds: float) -> Couple:
        """Let time pass, deadline by deadline, hearing out what is said."""
        self.listen()
        until = self.now + seconds
        while (due := self.session.next_due()) is not None and due <= until:
            self.now = max(self.now, due)
            self.run_clocks()
            self.listen()
        self.now = max(self.now, until)
        return self

    def restart(self, *, away: float = 0.0, trusted: bool = True) -> Couple:
        """The process dies and comes back `away` seconds later."""
        other = Couple(PLANS, self.session.snapshot, self.now + away)
        other.begin(trusted=trusted)
        other.run_clocks()
        return other


def pausing(couple: Couple, seconds: float = 1500.0) -> Couple:
    """Call a pause, name a time, agree."""
    return couple.hear("pause").hear("return_time", {"return_seconds": seconds}).hear("yes").listen()


def in_state(state: State) -> Couple:
    """A couple brought to `state` by what people would say."""
    couple = Couple().begin().listen()
    match state:
        case State.RESTING:
            pass
        case State.LEADING:
            couple.hear("fight")
        case State.BEAT:
            couple.hear("fight").listen().hear("beat")
        case State.HELD:
            couple.hear("fight").listen().hear("hold")
        case State.OFFERING:
            couple.hear("talk", cues=(Cue("flooding.body", 0.9), Cue("voice.raised", 0.9, "voice")))
        case State.ASKING:
            couple.hear("pause")
        case State.CONFIRMING:
            couple.hear("pause").hear("return_time", {"return_seconds": 1500.0})
        case State.PAUSED:
            pausing(couple)
        case State.CALLING:
            pausing(couple).wait(1560.0)
        case State.WAITING:
            pausing(couple).wait(3600.0)
        case State.RATING:
            pausing(couple).wait(1560.0).hear("here")
        case State.CHOOSING:
            pausing(couple).wait(1560.0).hear("here").hear("number", {"value": 3}).hear("number", {"value": 2})
        case State.MUTED:
            couple.hear("mute")
        case State.CLOSED:
            couple.hear("stop")
    assert couple.state is state, (couple.state, state)
    return couple
