"""What a session asks of the world. Frozen; a closed union; never performed here.

No effect holds what a partner said, except words dictated for keeping, wrapped in `Dictated`.
"""

from __future__ import annotations

import enum
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Union


class Patience(enum.Enum):
    """How long a silence may last before an utterance counts as finished (seconds are the ear's: design section 4)."""

    CLOSED = "closed"  # a yes, a number, a time: a complete answer ends at once
    OPEN = "open"  # a sentence of one's own
    TURN = "turn"  # somebody tells how it was


@dataclass(frozen=True, slots=True)
class Dictated:
    """Words that the couple dictates for keeping. Never cached to disk, never shown by `repr`."""

    text: str = field(repr=False)


@dataclass(frozen=True, slots=True)
class Moment:
    """An absolute wall time, in seconds since 1970, that wording turns into a spoken time of day."""

    at: float


@dataclass(frozen=True, slots=True)
class Span:
    """A length of time in seconds that wording turns into spoken words."""

    seconds: float


SayValue = Union[str, int, float, Dictated, Moment, Span]


@dataclass(frozen=True, slots=True)
class Say:
    """Speak prompt `prompt`. `number` grows by one with every Say of a session; `Spoken` answers with it.

    `wording`: "" the usual one, "again" after a miss or a repeat, "short" the tapered one, "resumed" after a restart.
    """

    prompt: str
    slots: Mapping[str, SayValue] = field(default_factory=dict)
    number: int = 0
    wording: str = ""


@dataclass(frozen=True, slots=True)
class Hush:
    """Fall silent now and forget what was waiting to be said."""


@dataclass(frozen=True, slots=True)
class Listen:
    """From now on `expected` (an expectation of the contract) is what we hope to hear; the rails are always heard."""

    expected: str
    patience: Patience = Patience.CLOSED


@dataclass(frozen=True, slots=True)
class Chime:
    """Play the earcon with this id."""

    earcon: str


@dataclass(frozen=True, slots=True)
class Adjust:
    """Change how the guide sounds or listens: `what` is rate, volume, patience or sensitivity; `by` is -1 or +1 step."""

    what: str
    by: int


@dataclass(frozen=True, slots=True)
class Remember:
    """Write to the ledger in the same commit as the snapshot. `kind`: promise, request, pattern, phrase, checkin, pause, …"""

    kind: str
    values: Mapping[str, SayValue] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Close:
    """The session is over; nothing of it is kept but the ledger."""


Effect = Union[Say, Hush, Listen, Chime, Adjust, Remember, Close]
