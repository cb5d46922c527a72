"""Written conversations: a format that a therapist can read and a rehearsal can play.

    # The first pause.                      a remark
    start: 2026-03-10 19:40                 local wall time at 0:00
    never: safety.*                         prompt ids that must not be said
    first: yes                              nobody has used the guide here before (else the two are known, and have agreed)
    0:10    Ana     i can't do this         at 0:10 Ana begins to speak
    +3      Ben     okay                    3 s after everybody fell silent (from one minute on: after the line before)
    +1:00   power   cut                     the process dies
    +5:00   power   back                    and is started again
    0:14    guide   pause.begin             what the guide is expected to say (rewritten by `scripts/test --accept`)

Columns are separated by a tab or two spaces. A file of `seconds<TAB>speaker<TAB>text` lines is read as well.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path

from voiceguide.errors import UsageError

GUIDE = "guide"
POWER = "power"
DEFAULT_START = datetime(2026, 3, 10, 19, 40)  # noqa: DTZ001 - local by design; a Tuesday evening
LONGEST = 366 * 24 * 3600.0  # seconds: a check-in comes after weeks, none after a year
_COLUMNS = re.compile(r"\t+| {2,}")
HEADER = re.compile(r"^(start|never|end|note|first):\s*(.*)$")


@dataclass(frozen=True, slots=True)
class Line:
    """Somebody says `text`. `at`: seconds from the start, or seconds of quiet before it when `relative`."""

    at: float
    relative: bool
    who: str
    text: str = field(repr=False)
    stamp: str = ""


@dataclass(frozen=True, slots=True)
class Dialogue:
    """A conversation. `expected`: (time, prompt id) of the guide's lines; `end`: how long to go on after the last line (s).
    `first`: the first use in this household."""

    name: str
    lines: tuple[Line, ...]
    start: datetime = DEFAULT_START
    expected: tuple[tuple[str, str], ...] = ()
    never: tuple[str, ...] = ()
    end: float = 60.0
    first: bool = False

    @property
    def names(self) -> tuple[str, ...]:
        """The two partners, in the order in which they first speak."""
        return tuple(dict.fromkeys(line.who for line in self.lines if line.who != POWER))[:2]


def read_dialogue(path: Path) -> Dialogue:
    """Read a `.dialogue` or a tab-separated file. Raises UsageError with file and line."""
    try:
        text = path.read_text(encoding="utf-8")
    except FileNotFoundError:
        raise UsageError("no_file", f"There is no file {path}", hint="Name a .dialogue file") from None
    except (OSError, UnicodeDecodeError):
        raise UsageError("unreadable", f"{path} cannot be read as text", hint="Name a .dialogue or tab-separated file") from None
    return parse_dialogue(text, path.stem, str(path))


def parse_dialogue(text: str, name: str = "dialogue", where: str = "dialogue") -> Dialogue:
    """Parse a conversation; `where` is named in errors."""
    lines: list[Line] = []
    expected: list[tuple[str, str]] = []
    never: list[str] = []
    start, end, first = DEFAULT_START, 60.0, False
    for number, raw in enumerate(text.splitlines(), 1):
        stripped = raw.strip()
        if not stripped or stripped.startswith("#"):
            continue
        try:
            if header := HEADER.match(stripped):
                key, value = header.groups()
                if key == "start":
                    start = datetime.fromisoformat(value)
                elif key == "never":
                    never += value.split()
                elif key == "first":
                    first = value == "yes"
                elif key == "end":
                    end = seconds_of(value)
                continue
            stamp, who, said = _COLUMNS.split(stripped, 2)
            if who == GUIDE:
                expected.append((stamp, said.split()[0]))
            else:
                said = re.sub(r"\s+\{[^{}]*\}$", "", said)  # the intent, written by --accept
                lines.append(Line(seconds_of(stamp), stamp.startswith("+"), who, said, stamp))
        except ValueError:
            hint = "Write: 0:10, a tab, a speaker, a tab, the words"
            raise UsageError("dialogue_line", f"{where}, line {number} cannot be read", hint=hint) from None
    return Dialogue(name, tuple(lines), start, tuple(expected), tuple(never), end, first)


def seconds_of(stamp: str) -> float:
    """`12.5`, `0:10`, `1:02:03`, with or without a leading `+`, in seconds. Raises ValueError."""
    parts = [float(part) for part in stamp.lstrip("+").split(":")]
    if len(parts) > 3 or any(part < 0 for part in parts):
        raise ValueError(stamp)
    total = 0.0
    for part in parts:
        total = total * 60 + part
    if not total <= LONGEST:  # also what is no number
        raise ValueError(stamp)
    return total


def clock_of(seconds: float) -> str:
    """Seconds from the start as `m:ss` or `h:mm:ss`, for people and snapshots."""
    whole = int(seconds + 0.5)
    minutes, secs = divmod(whole, 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours}:{minutes:02}:{secs:02}" if hours else f"{minutes}:{secs:02}"
