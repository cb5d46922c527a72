"""The whole state machine of a session: one table, and the only file that knows `transitions`.

Laws. A state says *where the couple is*, never what is being said. An overlay (a beat, a hold, an offer, mute) lies on top of a
place and gives it back unchanged. A pause can be called from everywhere; `stop` leads to CLOSED from everywhere; CLOSED is the
silent standby that only an explicit wish opens again.

Theory of operation. A real statechart would nest the overlays. Instead the place underneath travels beside the state
(`behind`), and each way back out of an overlay is a guarded row: the table stays flat, finite and checkable by eye, and a
snapshot is two words. The library's time limits, queues and automatic jumps are off (they race, drop and skip guards).
"""

from __future__ import annotations

import enum
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from transitions import Machine


class State(str, enum.Enum):
    """Where the couple is."""

    RESTING = "resting"  # nobody needs us; we listen for a wish
    LEADING = "leading"  # a step of a talk is open
    BEAT = "beat"  # five quiet seconds
    HELD = "held"  # "wait": quiet until "go on"
    OFFERING = "offering"  # asked whether a pause would help
    ASKING = "asking"  # a pause was called; when to come back?
    CONFIRMING = "confirming"  # a time was named and said back
    PAUSED = "paused"  # the pause clock runs
    CALLING = "calling"  # it is time; calling both back
    WAITING = "waiting"  # called, or too late to call: silent until somebody speaks
    RATING = "rating"  # a number from each
    CHOOSING = "choosing"  # now, or a time within a day
    MUTED = "muted"  # told to stop listening; hears only the opening phrase
    CLOSED = "closed"  # over; silent standby


class Trigger(str, enum.Enum):
    """What moves a session from place to place."""

    OPEN = "open"
    FINISH = "finish"
    BEAT = "beat"
    HOLD = "hold"
    OFFER = "offer"
    MUTE = "mute"
    RESUME = "resume"
    PAUSE = "pause"
    NAME_TIME = "name_time"
    REFUSE_TIME = "refuse_time"
    AGREE = "agree"
    RETURN_DUE = "return_due"
    TOO_LATE = "too_late"
    COME_BACK = "come_back"
    SKIP_RATING = "skip_rating"
    RATED = "rated"
    GO_ON = "go_on"
    STOP = "stop"


OVERLAYS = (State.BEAT, State.HELD, State.OFFERING, State.MUTED)
PLACES = tuple(state for state in State if state not in OVERLAYS and state is not State.CLOSED)
_OPEN = tuple(state for state in State if state is not State.CLOSED)
_RETURNING = (State.CALLING, State.WAITING, State.RATING, State.CHOOSING)
_BEFORE_AGREEMENT = (State.RESTING, State.LEADING, State.ASKING, State.CONFIRMING, *_RETURNING)


@dataclass(frozen=True, slots=True)
class Row:
    """One line of the table: `trigger` leads from any of `sources` to `dest`, if `guard` (a name, for people) holds."""

    trigger: Trigger
    sources: tuple[State, ...]
    dest: State
    guard: str = ""


_UNDER = tuple(state for state in State if state not in (State.CLOSED, State.MUTED))

TABLE: tuple[Row, ...] = (
    Row(Trigger.OPEN, (State.RESTING, State.CLOSED, State.LEADING, State.CHOOSING), State.LEADING),
    Row(Trigger.FINISH, (State.LEADING,), State.RESTING),
    Row(Trigger.BEAT, (*PLACES, State.HELD, State.OFFERING), State.BEAT),
    Row(Trigger.HOLD, (*PLACES, State.BEAT, State.OFFERING), State.HELD),
    Row(Trigger.OFFER, (State.RESTING, State.LEADING), State.OFFERING),
    Row(Trigger.MUTE, (*PLACES, State.BEAT, State.HELD, State.OFFERING), State.MUTED),
    *(Row(Trigger.RESUME, OVERLAYS, place, f"behind {place.value}") for place in PLACES),
    Row(Trigger.PAUSE, (*_BEFORE_AGREEMENT, State.PAUSED, State.BEAT, State.HELD, State.OFFERING, State.CLOSED), State.ASKING),
    Row(Trigger.NAME_TIME, (State.ASKING, State.CONFIRMING, State.PAUSED, *_RETURNING), State.CONFIRMING),
    Row(Trigger.REFUSE_TIME, (State.CONFIRMING,), State.ASKING),
    Row(Trigger.AGREE, (State.CONFIRMING,), State.PAUSED),
    Row(Trigger.RETURN_DUE, (State.PAUSED, State.ASKING, State.CONFIRMING), State.CALLING),
    Row(Trigger.TOO_LATE, (State.PAUSED, State.CALLING, State.ASKING, State.CONFIRMING, State.CHOOSING), State.WAITING),
    Row(Trigger.COME_BACK, (State.CALLING, State.WAITING), State.RATING),
    Row(Trigger.SKIP_RATING, (State.WAITING, State.PAUSED), State.CHOOSING),
    Row(Trigger.RATED, (State.RATING,), State.CHOOSING),
    Row(Trigger.GO_ON, (State.CHOOSING,), State.LEADING, "a talk is open"),
    Row(Trigger.GO_ON, (State.CHOOSING,), State.RESTING, "no talk is open"),
    Row(Trigger.STOP, _OPEN, State.CLOSED),
)


class _Model:
    """What the guards look at; the library adds `state` and `trigger`."""

    state: str
    behind: State = State.RESTING
    talk_open: bool = False
    trigger: Callable[[str], bool]


_model = _Model()


def _guard(name: str) -> Callable[[], bool]:
    if name.startswith("behind "):
        place = State(name.removeprefix("behind "))
        return lambda: _model.behind is place
    return (lambda: _model.talk_open) if name == "a talk is open" else (lambda: not _model.talk_open)


def _rows() -> list[dict[str, Any]]:
    return [
        {"trigger": row.trigger.value, "source": [s.value for s in row.sources], "dest": row.dest.value}
        | ({"conditions": [_guard(row.guard)]} if row.guard else {})
        for row in TABLE
    ]


_machine = Machine(
    model=_model, states=[s.value for s in State], transitions=_rows(), initial=State.RESTING.value, auto_transitions=False
)


def advance(state: State, trigger: Trigger, *, behind: State = State.RESTING, talk_open: bool = False) -> State:
    """The state after `trigger`. Raises transitions.MachineError where the table has no such row: a programming mistake."""
    _model.behind, _model.talk_open = behind, talk_open
    _machine.set_state(state.value)
    _model.trigger(trigger.value)
    return State(_model.state)


def diagram() -> str:
    """The table as a mermaid state diagram. Rows that hold nearly everywhere are drawn once, from "any"."""
    lines = ["stateDiagram-v2", "    [*] --> resting"]
    for row in TABLE:
        label = row.trigger.value.replace("_", " ")
        if row.guard.startswith("behind "):
            continue
        if row.guard:
            label += f" [{row.guard}]"
        sources = ["any"] if len(row.sources) > 6 else [s.value for s in row.sources]
        lines += [f"    {source} --> {row.dest.value}: {label}" for source in sources]
    lines += [f"    {overlay.value} --> behind: resume" for overlay in OVERLAYS]
    lines += ["    any: any place", "    behind: the place underneath", "    closed --> [*]"]
    return "\n".join(lines) + "\n"
