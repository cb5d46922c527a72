"""A talk as data: frozen steps of a few kinds, with ways on by intent. Read from content; no words, no expressions.

Kinds. `say` speaks and goes on. `ask` speaks and waits for one of its answers. `talk` gives somebody the floor. `wait` is quiet
for `seconds`. `swap` exchanges speaker and listener, and gives the other the same number of chances. `each` takes up the next
promise of the ledger. A step that may be entered `limit` times leads to `exhausted` after that.
The moment someone wants an `if`, it becomes a new kind or attribute in Python. (Authors: see content/AUTHORS.md)
"""

from __future__ import annotations

import enum
from collections.abc import Mapping
from dataclasses import dataclass, field

from voiceguide.core.effects import Patience


class Kind(str, enum.Enum):
    """What a step does."""

    SAY = "say"
    ASK = "ask"
    TALK = "talk"
    WAIT = "wait"
    SWAP = "swap"
    EACH = "each"


class Floor(str, enum.Enum):
    """Who is meant to speak."""

    BOTH = "both"
    SPEAKER = "speaker"
    LISTENER = "listener"


# Ways on that are not steps.
PAUSE = "@pause"  # agree on a pause
CLOSE = "@close"  # the neutral ending
REST = "@rest"  # the talk is over; stay near
WAYS = (PAUSE, CLOSE, REST)

# What a step may write to the ledger with `records`.
RECORDS = ("kept", "missed", "not_yet", "let_go", "consent", "no_consent")
# What a step may keep with `keeps`, out of what was dictated under the same name and confirmed.
KEEPS = ("promise", "request", "pattern", "phrase", "later", "name_first", "name_second")


@dataclass(frozen=True, slots=True)
class Step:
    """One step. `on` maps an intent, or `talk.<judgement>` (longest prefix wins), to a way on: a step, `plan:step`, or `@…`.

    `silence`: the way on after two reprompts ("" = agree on a pause). `seconds`: length of a turn or wait (advisory for
    turns). `dictates`: the name under which what is said here is held until confirmed; `keeps`: writes it to the ledger.
    `resume_at`: where a restart resumes when a held dictation was lost with the process.

    `hints`: prompts `<hints>.<part>` answer what the detector finds wanting, at most twice in a talk, but for the parts that it
    `ignores`. `quiets`: a judgement ("talk.past") that from here on is not answered any more. `varies`: the prompt has a form
    for each theme (`<prompt>.<theme>`). `theme`: what was broken, from here on. `fair`: passed over while the speaker has had
    the floor a whole turn longer than the other. `needs`: passed over unless the couple came through that step. `books`: days
    until the guide opens `opens` by itself. `records`: what is written down about the promise in hand.
    """

    name: str
    kind: Kind
    prompt: str = ""
    next: str = ""
    on: Mapping[str, str] = field(default_factory=dict)
    expect: str = ""
    patience: Patience = Patience.CLOSED
    seconds: float = 0.0
    floor: Floor = Floor.BOTH
    silence: str = ""
    limit: int = 0
    exhausted: str = ""
    dictates: str = ""
    keeps: str = ""
    resume_at: str = ""
    hints: str = ""
    varies: bool = False
    theme: str = ""
    fair: bool = False
    needs: str = ""
    ignores: tuple[str, ...] = ()
    quiets: str = ""
    books: int = 0
    opens: str = ""
    records: str = ""

    def ways(self) -> tuple[str, ...]:
        """Every way on from here."""
        named = (*self.on.values(), self.next, self.silence, self.exhausted, self.resume_at, self.opens)
        return tuple(dict.fromkeys(way for way in named if way))


@dataclass(frozen=True, slots=True)
class Plan:
    """A guided talk: its steps by name, where it starts, and the intents that open it at rest."""

    name: str
    start: str
    steps: Mapping[str, Step]
    opened_by: tuple[str, ...] = ()


Plans = Mapping[str, Plan]


@dataclass(frozen=True, slots=True)
class Position:
    """Where in which talk."""

    plan: str
    step: str


def locate(way: str, here: str) -> Position:
    """The position that `way` (`step`, `plan:step` or `plan:`) names, seen from plan `here`; an empty step is the start."""
    plan, colon, step = way.rpartition(":")
    return Position(plan if colon else here, step)


def step_at(plans: Plans, position: Position) -> Step:
    """The step at `position`. Raises KeyError for a plan or step that `check` would have refused."""
    plan = plans[position.plan]
    return plan.steps[position.step or plan.start]


def way_on(step: Step, intent: str, judged: str = "") -> str:
    """Where `intent` (with a judgement such as "hedged.passive") leads from `step`; "" when the step does not answer it."""
    key = f"{intent}.{judged}" if judged else intent
    while key:
        if key in step.on:
            return step.on[key]
        key = key.rpartition(".")[0]
    return ""
