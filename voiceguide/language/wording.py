"""What the guide says, word for word: a prompt of the pack with its slots turned into spoken words.

Times, lengths, numbers and telephone numbers are written out, so that every voice says them alike and a listener need not
decode anything (domain 7.1: one thing at a time, numbers slowly). Pure: the zone is given once, `now` comes in.
"""

from __future__ import annotations

import re
import string
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta, tzinfo
from typing import Any

from voiceguide.core.effects import Dictated, Moment, SayValue, Span
from voiceguide.errors import ContentError
from voiceguide.language.pack import VARIANTS, Pack
from voiceguide.language.written import Written

MINUTE, HOUR, DAY = 60, 3600, 86400
BARE_WITHIN = 6 * HOUR  # a time of day that is this near needs no "in the evening": it cannot be mistaken
_DIGIT_RUN = re.compile(r"\d(?:[\d \-]*\d)?")
_QUARTER, _HALF = 15, 30


@dataclass(frozen=True, slots=True)
class Sentence:
    """Ready to be rendered. `fixed` is False when it holds dictated words: then it is never cached, and never shown."""

    text: str = field(repr=False)
    fixed: bool = True


class Wording:
    """The speaking half of a pack. `values`: slots that are the same in every prompt (names, help lines)."""

    def __init__(self, pack: Pack, zone: tzinfo | None = None, values: Mapping[str, SayValue] | None = None) -> None:
        """`zone`: where the couple lives; None is the zone of this machine."""
        self._pack, self._zone = pack, zone
        self._values = dict(values or {})
        self._speak = pack.speak
        self._written = Written.load(pack.language)

    def say(self, prompt: str, slots: Mapping[str, SayValue], wording: str = "", now: float = 0.0) -> Sentence:
        """The words of `prompt`. `wording` as in `Say`; `now` in seconds since 1970 (times are worded relative to it).

        Raises ContentError when the prompt or one of its slots is missing.
        """
        found = self._pack.prompts.get(prompt)
        if found is None:
            raise ContentError("missing_prompt", f"content/{self._pack.language}/prompts: {prompt} is missing")
        given = {**self._values, **slots}
        parts: list[str] = []
        fixed = True
        for literal, slot, _, _ in string.Formatter().parse(found.variant(wording)):
            parts.append(literal)
            if slot is None:
                continue
            if slot not in given and slot in self._speak.get("nameless", {}):
                parts.append(str(self._speak["nameless"][slot]))  # they gave no names: the guide still has to call them something
                continue
            if slot not in given:
                raise ContentError("missing_slot", f"content/{self._pack.language}/prompts: {prompt} has no value for {slot}")
            value = given[slot]
            fixed = fixed and not isinstance(value, Dictated)
            parts.append(self.spoken(value, now))
        text = "".join(parts)
        return Sentence(text[:1].upper() + text[1:], fixed)

    def fixed_sentences(self) -> list[Sentence]:
        """Every sentence that needs no slot but the given `values`: to be rendered ahead."""
        out: dict[str, None] = {}
        for name, prompt in self._pack.prompts.items():
            for wording in ("", "again", "short", "resumed"):
                if set(slots_of(prompt.variant(wording))) <= set(self._values):
                    out[self.say(name, {}, wording).text] = None
        return [Sentence(text) for text in out]

    def spoken(self, value: SayValue, now: float) -> str:
        """One slot's words."""
        if isinstance(value, Dictated):
            return self._written(value.text)
        if isinstance(value, Moment):
            return self.moment(value.at, now)
        if isinstance(value, Span):
            return self.span(value.seconds)
        if isinstance(value, str):
            return _DIGIT_RUN.sub(lambda run: self.digits(run.group()), value)
        return self.number(value)

    def number(self, value: float, system: str = "") -> str:
        """A number in words ("twenty five"); digits where the pack has no words for it."""
        if value != int(value):
            whole, _, rest = f"{value:.1f}".partition(".")
            return f"{self.number(int(whole), system)} {self._text('decimal')} {self.number(int(rest), system)}"
        words = self._pack.numbers.get(system) or self._pack.numbers.get("", {})
        return words.get(int(value), str(int(value)))

    def digits(self, text: str) -> str:
        """A telephone number, digit by digit, in short groups (domain 5.4). One or two digits are a number."""
        groups = text.replace("-", " ").split()
        if len(groups) == 1 and len(groups[0]) < 3:
            return self.number(int(groups[0]))
        size = int(self._speak.get("digit_group", 3))
        names = self._table("digits")
        short = [part for group in groups for part in _chunks(group, size)]
        spoken = (self._text("digit_gap").join(str(names[one]) for one in part) for part in short)
        return self._text("group_gap").join(spoken)

    def span(self, seconds: float) -> str:
        """A length: "twenty five minutes", "one hour and ten minutes"; to the minute from a minute on."""
        if seconds < MINUTE:
            return self._counted("second", max(round(seconds), 0))
        minutes = round(seconds / MINUTE)
        days, minutes = divmod(minutes, DAY // MINUTE)
        hours, minutes = divmod(minutes, HOUR // MINUTE)
        counted = [("day", days), ("hour", hours), ("minute", minutes)]
        parts = [self._counted(unit, count) for unit, count in counted if count]
        *most, last = parts
        return (self._text("comma").join(most) + self._text("and") if most else "") + last

    def moment(self, at: float, now: float) -> str:
        """A time of day to the nearest minute, with the day or the part of it where it could be mistaken."""
        due = self._local(at) + timedelta(seconds=30)
        due = due.replace(second=0, microsecond=0)
        here = self._local(now)
        clock = self._clock(due)
        days = (due.date() - here.date()).days
        part = self._part(due.hour)
        if abs(at - now) < BARE_WITHIN:
            return clock
        if days == 0 or (days == 1 and due.hour < 5):
            form = "today" if self._named(due) is None else "named"
        elif days == 1:
            form = "tomorrow" if self._named(due) is None else "tomorrow_named"
        elif -7 < days < 7:
            form = "weekday" if self._named(due) is None else "weekday_named"
        else:
            form = "date"
        return self._text(form).format(
            clock=clock,
            part=part["alone"] if form in ("today", "date") else part["day"],
            weekday=self._list("weekdays")[due.weekday()],
            month=self._list("months")[due.month - 1],
            ordinal=self._list("ordinals")[due.day - 1],
        )

    def _clock(self, due: datetime) -> str:
        forms = self._table("clock")
        named = self._named(due)
        if named is not None:
            return named
        hour, minute = due.hour % 12 or 12, due.minute
        spoken = {
            "hour": self.number(hour, "hour"),
            "next": self.number(hour % 12 + 1, "hour"),
            "minute": self._minutes(minute),
            "part": self._part(due.hour)["day"],
        }
        if minute == 0:
            form = "whole"
        elif "past" in forms and minute % 5 == 0:
            form = "past" if minute <= _HALF else "to"
            spoken["minute"] = self._minutes(minute if minute <= _HALF else 60 - minute, fractions=True)
        else:
            form = "single" if minute < 10 else "other"
        return str(forms[form]).format(**spoken)

    def _minutes(self, minute: int, fractions: bool = False) -> str:
        if fractions and minute in (_QUARTER, _HALF):
            return self._text("quarter" if minute == _QUARTER else "half")
        return self.number(minute, "minute")

    def _named(self, due: datetime) -> str | None:
        if due.minute == 0 and due.hour in (0, 12):
            return str(self._speak["noon" if due.hour else "midnight"]) or None
        return None

    def _part(self, hour: int) -> Mapping[str, Any]:
        parts: list[Mapping[str, Any]] = self._list("parts")
        return [one for one in parts if one["from"] <= hour][-1]

    def _counted(self, unit: str, count: int) -> str:
        singular, plural = self._table("units")[unit]
        return str(self._speak.get("counted", "{count} {unit}")).format(
            count=self.number(count, unit), unit=singular if count == 1 else plural
        )

    def _local(self, at: float) -> datetime:
        return datetime.fromtimestamp(at, self._zone)

    def _text(self, key: str) -> str:
        return str(self._need(key))

    def _table(self, key: str) -> Mapping[str, Any]:
        table: Mapping[str, Any] = self._need(key)
        return table

    def _list(self, key: str) -> list[Any]:
        rows: list[Any] = self._need(key)
        return rows

    def _need(self, key: str) -> Any:
        if key not in self._speak:
            raise ContentError("broken_pack", f"content/{self._pack.language}/pack.toml: speak.{key} is missing")
        return self._speak[key]


def slots_of(text: str) -> tuple[str, ...]:
    """Names of the slots of a prompt's text. Raises ContentError when its braces do not close."""
    try:
        return tuple(dict.fromkeys(slot for _, slot, _, _ in string.Formatter().parse(text) if slot is not None))
    except ValueError as problem:
        raise ContentError("broken_prompt", f"a prompt cannot be read: {problem}") from None


def _chunks(group: str, size: int) -> list[str]:
    """A run of digits in parts of `size`; a rest of one joins the part before it."""
    if len(group) <= size + 1:
        return [group]
    return [group[:size], *_chunks(group[size:], size)]


__all__ = ["VARIANTS", "Sentence", "Wording", "slots_of"]
