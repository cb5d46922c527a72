"""Where a session is, as plain frozen data: all that a power cut must not take. Saved after every event.

Law: nothing a partner said is in here, except words dictated for keeping *and confirmed* (names, the agreed phrase).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, fields, is_dataclass
from typing import Any

from voiceguide.core import figures
from voiceguide.core.effects import Dictated, Moment, Patience, Say, SayValue, Span
from voiceguide.core.machine import State
from voiceguide.core.plan import Position

VERSION = 1


@dataclass(frozen=True, slots=True)
class Clock:
    """`due` is absolute wall time in seconds. A durable clock survives a restart; a floor clock dies with the process."""

    name: str
    due: float
    durable: bool = False


@dataclass(frozen=True, slots=True)
class Pause:
    """The couple's break. `due`: the agreed return (0 = none yet); `proposed`: named and said back, not yet confirmed;
    `rung`: extensions so far; `calls`: how often both were called; `objections`: how often one was answered;
    `breath`: breaths left of the breathing track; `late`: nobody came to the call."""

    called: float
    due: float = 0.0
    proposed: float = 0.0
    rung: int = 0
    calls: int = 0
    objections: int = 0
    rated: tuple[int, ...] = ()
    breath: int = 0
    late: bool = False


@dataclass(frozen=True, slots=True)
class Asked:
    """The question that is open: enough to ask it again in other words."""

    prompt: str
    expected: str
    patience: Patience
    number: int
    slots: Mapping[str, SayValue] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Checkin:
    """A follow-up that the guide opens by itself. `plan`: which talk; `about`: the ledger's id of the promise, "" for none.
    `again`: nobody answered the first time."""

    due: float
    plan: str
    about: str = ""
    again: bool = False


@dataclass(frozen=True, slots=True)
class Promised:
    """A promise that stands: dictated and confirmed. `who`: index of its giver; `theme`: what it mends; counts so far."""

    id: int
    text: str = field(repr=False)
    who: int = 0
    theme: str = ""
    made: float = 0.0
    kept: int = 0
    missed: int = 0


@dataclass(frozen=True, slots=True)
class Household:
    """What outlives a talk. Names and phrase were dictated and confirmed; `hour`: the decent hour for check-ins (0-23).

    `promises`: those that stand, oldest first; `given`: how many were ever given (the next one's id is one more).
    """

    names: tuple[str, ...] = ()
    phrase: str = ""
    consented: bool = False
    hour: int = figures.CHECKIN_HOUR
    checkins: tuple[Checkin, ...] = ()
    promises: tuple[Promised, ...] = ()
    given: int = 0


@dataclass(frozen=True, slots=True)
class Snapshot:
    """Everything. `roles`: who speaks and who listens (indexes of partners); `floor`: seconds each has had it.

    `theme`: what was broken, an id of the plan; `about`: id of the promise in hand (0 = none); `then`: the talk that waits.
    `store`: "lost" while nothing can be kept and nobody was told, "told" after that, "back" when it works again untold, else "".
    """

    state: State = State.RESTING
    behind: State = State.RESTING
    position: Position | None = None
    trail: tuple[Position, ...] = ()
    visits: Mapping[str, int] = field(default_factory=dict)
    roles: tuple[int, int] = (0, 1)
    floor: tuple[float, float] = (0.0, 0.0)
    asked: Asked | None = None
    misses: int = 0
    unsaid: tuple[Say, ...] = ()
    said: Say | None = None
    number: int = 0
    clocks: tuple[Clock, ...] = ()
    pause: Pause | None = None
    fusion: Mapping[str, Any] = field(default_factory=dict)
    patient: bool = False
    theme: str = ""
    about: int = 0
    then: str = ""
    store: str = ""
    household: Household = field(default_factory=Household)
    version: int = VERSION


def to_plain(value: Any) -> Any:
    """Any value of a snapshot as JSON-able data. Words that were only dictated, not confirmed, are left out."""
    if isinstance(value, Dictated):
        return {"~": "lost"}
    if isinstance(value, (Moment, Span)):
        return {"~": type(value).__name__.lower(), "v": value.at if isinstance(value, Moment) else value.seconds}
    if isinstance(value, (State, Patience)):
        return value.value
    if is_dataclass(value) and not isinstance(value, type):
        return {f.name: to_plain(getattr(value, f.name)) for f in fields(value)}
    if isinstance(value, Mapping):
        return {str(k): to_plain(v) for k, v in value.items()}
    if isinstance(value, (tuple, list)):
        return [to_plain(v) for v in value]
    return value


def from_plain(data: Mapping[str, Any]) -> Snapshot:
    """The snapshot that `to_plain` wrote. Raises KeyError, TypeError or ValueError on anything else."""
    if data["version"] != VERSION:
        raise ValueError("snapshot of another version")
    known = {k: data[k] for k in ("misses", "number", "patient", "fusion", "visits")}
    return Snapshot(
        **known,
        theme=data.get("theme", ""),
        about=data.get("about", 0),
        then=data.get("then", ""),
        store=data.get("store", ""),
        state=State(data["state"]),
        behind=State(data["behind"]),
        position=_position(data["position"]),
        trail=tuple(Position(**p) for p in data["trail"]),
        roles=(data["roles"][0], data["roles"][1]),
        floor=(data["floor"][0], data["floor"][1]),
        asked=_asked(data["asked"]),
        unsaid=tuple(_say(s) for s in data["unsaid"]),
        said=_say(data["said"]) if data["said"] else None,
        clocks=tuple(Clock(**c) for c in data["clocks"]),
        pause=_pause(data["pause"]),
        household=_household(data["household"]),
    )


def _slots(data: Mapping[str, Any]) -> dict[str, SayValue]:
    made: dict[str, SayValue] = {}
    for key, value in data.items():
        if not isinstance(value, Mapping):
            made[key] = value
        elif value["~"] == "moment":
            made[key] = Moment(value["v"])
        elif value["~"] == "span":
            made[key] = Span(value["v"])
        else:
            made[key] = Dictated("")
    return made


def _say(data: Mapping[str, Any]) -> Say:
    return Say(data["prompt"], _slots(data["slots"]), data["number"], data["wording"])


def _asked(data: Mapping[str, Any] | None) -> Asked | None:
    if data is None:
        return None
    return Asked(data["prompt"], data["expected"], Patience(data["patience"]), data["number"], _slots(data["slots"]))


def _position(data: Mapping[str, Any] | None) -> Position | None:
    return None if data is None else Position(**data)


def _pause(data: Mapping[str, Any] | None) -> Pause | None:
    return None if data is None else Pause(**{**data, "rated": tuple(data["rated"])})


def _household(data: Mapping[str, Any]) -> Household:
    checkins = tuple(Checkin(**c) for c in data["checkins"])
    promises = tuple(Promised(**p) for p in data.get("promises", ()))
    return Household(**{**data, "names": tuple(data["names"]), "checkins": checkins, "promises": promises})
