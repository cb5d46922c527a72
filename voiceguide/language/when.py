"""Spoken times: a definite time only where one was said, an open answer never turned into one.

Libraries read 40 to 72% of spoken times (measured) and get the rest wrong instead of refusing ("forty five minutes" as 5),
so this is our own closed-vocabulary reader. All its words and patterns come from `content/<language>/times.toml`; `now` comes
in. A definite time is still always said back before it counts (mission R2).
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any

from voiceguide.errors import ContentError
from voiceguide.language.lexicon import Lexicon, Token, load_lexicon

MINUTE, HOUR, DAY = 60.0, 3600.0, 86400.0
LONGEST = 60  # tokens: a longer utterance is a talk, not an answer to "when"
_SMALLER = {DAY: HOUR, HOUR: MINUTE, MINUTE: 1.0}
_DIGITS = "[0-9]{1,3}"  # some recognisers write numbers in figures
_ITEM = re.compile(r"(?P<ahead>!)?(?:(?P<role>\w+):)?(?P<classes>[\w|]+)(?P<optional>\?)?")
# Without "morning" or "evening", a day's hour is a waking one: at seven to eleven in the morning, else after noon.
_WAKING_MORNING = range(7, 12)


@dataclass(frozen=True, slots=True)
class When:
    """`kind`: "definite" (`seconds` from now), "open" (later, after dinner), "past" (today, but over: `seconds` below 0) or
    "none".

    `is_clock`: a time of day rather than a length. `bare`: a number alone, read by context. `extends`: on top
    of something ("ten more minutes"). `span`: the words (begin, end)
    of the normalised text that it was read from.
    """

    kind: str
    seconds: float | None = None
    is_clock: bool = False
    bare: bool = False
    extends: bool = False
    span: tuple[int, int] = (0, 0)


NONE = When("none")


@dataclass(frozen=True, slots=True)
class _Found:
    """One reading inside an utterance: tokens [begin, end)."""

    kind: str
    begin: int
    end: int
    when: When
    unit: float = 0.0


@dataclass(frozen=True, slots=True)
class _Pattern:
    kind: str
    regex: re.Pattern[str]


class Times:
    """The reader of one language. Pure after construction."""

    def __init__(self, times: Mapping[str, Any], where: str = "times.toml", spaces: bool = True) -> None:
        """Raises ContentError when the tables or patterns cannot be read."""
        self.lexicon: Lexicon = load_lexicon(times, where, spaces)
        self._wrap = self._letters("|".join(["day", "weekday", "part", *times.get("wrap", [])]), where)
        self._patterns = [
            _Pattern(kind, self._compile(text, kind, where))
            for kind in ("clock", "length", "vague", "refused")
            for text in times.get("patterns", {}).get(kind, [])
        ]
        letters = self.lexicon.letters
        self._needed = frozenset(letters[kind] for kind in ("number", "few", "unit", "fraction", "named", "digits", "decimal"))
        self._begins = frozenset("".join(pattern.regex.pattern for pattern in self._patterns))
        self._needed |= frozenset(letters[kind] for kind in times.get("anchors", []) if kind in letters)

    def pattern(self) -> str:
        """A regular expression for complete answers with a time: only words of times, the last one able to end one."""
        entries = self.lexicon.entries.items()
        words = {word for phrase, token in entries if token.kind not in ("open", "carrier") for word in phrase.split()}
        ends_one = ("unit", "part", "named", "oclock", "day", "weekday", "after", "fromnow", "less")
        last = {phrase for phrase, token in entries if token.kind in ends_one}
        hours = {phrase for phrase, token in entries if token.kind == "number" and 1 <= token.value <= 12}
        before = {phrase for phrase, token in entries if token.kind in ("at", "past", "to")}
        gap = " " if self.lexicon.spaces else " ?"
        some_word = f"(?:{_DIGITS}|{_either(words)})"
        rows = [(before, hours), *[({phrase for phrase, token in entries if token.kind == kind} for kind in ("and", "fraction"))]]
        ends = [_either(last), *(f"(?:{_either(one)}){gap}(?:{_either(two)})" for one, two in rows if one and two)]
        return f"^(?:{some_word}{gap})*(?:{'|'.join(ends)})$" if last else ""

    def _letters(self, classes: str, where: str) -> str:
        try:
            return "".join(self.lexicon.letters[name] for name in classes.split("|"))
        except KeyError as missing:
            raise ContentError("broken_pack", f"{where}: a pattern names the unknown class {missing}") from None

    def _compile(self, text: str, kind: str, where: str) -> re.Pattern[str]:
        parts: list[str] = []
        ahead = ""
        for item in text.split():
            found = _ITEM.fullmatch(item)
            if found is None:
                raise ContentError("broken_pack", f'{where}: patterns.{kind} "{text}" cannot be read')
            letters = f"[{self._letters(found['classes'], where)}]"
            if found["ahead"]:
                ahead = f"(?!{letters})"  # only at the end of a pattern: what must not follow
                continue
            parts.append((f"(?P<{found['role']}>{letters})" if found["role"] else letters) + (found["optional"] or ""))
        core = "".join(parts) + ahead
        around = f"[{self._wrap}]*"
        try:
            return re.compile(around + core + around if kind == "clock" else core)
        except re.error as problem:
            raise ContentError("broken_pack", f'{where}: patterns.{kind} "{text}": {problem}') from None

    def parse(self, text: str, now: datetime, expect_length: bool = False) -> When:
        """Read a normalised `text`. `expect_length`: a bare number means minutes, whatever its size."""
        tokens = self.lexicon.tokens(text)
        if not tokens or len(tokens) > LONGEST:
            return NONE
        code = self.lexicon.encode(tokens)
        found = self._scan(tokens, code, now) if self._needed.intersection(code) else []
        found = self._without_negated(tokens, found)
        found = self._with_bare_numbers(tokens, found, now, expect_length)
        opened = max((number for number, token in enumerate(tokens) if token.kind == "open"), default=-1)
        definite = [one for one in found if one.kind in ("clock", "length")]
        definite = [one for one in definite if one.when.seconds] or definite  # "at eight, I can't right now"
        vague = [one for one in found if one.kind == "vague"]
        if definite and not (opened > definite[-1].end and self._corrected(tokens, definite[-1].end, opened)):
            return self._summed_up(tokens, definite)
        if opened >= 0 or vague or self._only_a_day(tokens):
            return When("open", span=_span(tokens, 0, len(tokens)))
        return NONE

    def _scan(self, tokens: list[Token], code: str, now: datetime) -> list[_Found]:
        out: list[_Found] = []
        position = 0
        while position < len(tokens):
            best = self._best(tokens, code, position, now) if code[position] in self._begins else None
            if best is None:
                position += 1
                continue
            if best.kind == "length" and out and self._continues(tokens, out[-1], best):
                before = out.pop()
                seconds = (before.when.seconds or 0.0) + (best.when.seconds or 0.0)
                best = replace(best, begin=before.begin, when=When("definite", seconds))
            out.append(best)
            position = best.end
        return out

    def _best(self, tokens: list[Token], code: str, position: int, now: datetime) -> _Found | None:
        matches = [(pattern.kind, match) for pattern in self._patterns if (match := pattern.regex.match(code, position))]
        for kind, match in sorted(matches, key=lambda one: -one[1].end()):
            if match.end() == position:
                continue
            roles = {role: tokens[match.start(role)] for role, hit in match.groupdict().items() if hit}
            if kind in ("vague", "refused"):
                return _Found(kind, position, match.end(), NONE)
            if kind == "length":
                read = _length(roles)
                if read is not None:
                    more = any(one.kind in ("more", "another") for one in tokens[position : match.end()])
                    return _Found(kind, position, match.end(), When("definite", read[0], extends=more), read[1])
                continue
            wrapped = [one for one in tokens[position : match.end()] if one.kind in ("day", "weekday", "part")]
            when = _clock(roles, wrapped, now)
            if when is not None:
                return _Found(kind, position, match.end(), when)
        return None

    def _continues(self, tokens: list[Token], before: _Found, found: _Found) -> bool:
        """An hour *and* twenty minutes: units fall, and nothing but "and" stands between."""
        between = tokens[before.end : found.begin]
        return before.kind == "length" and before.unit > found.unit and all(one.kind == "and" for one in between)

    def _without_negated(self, tokens: list[Token], found: list[_Found]) -> list[_Found]:
        return [one for one in found if not (one.begin and tokens[one.begin - 1].kind == "not")]

    def _with_bare_numbers(
        self, tokens: list[Token], found: list[_Found], now: datetime, expect_length: bool
    ) -> list[_Found]:
        """Numbers that stand alone count only when nothing else was said but words that carry an answer."""
        taken = {number for one in found for number in range(one.begin, one.end)}
        left = [number for number in range(len(tokens)) if number not in taken]
        if any(tokens[number].kind == "unknown" for number in left):
            return found
        out = list(found)
        for number in left:
            if tokens[number].kind == "number" and not (number and tokens[number - 1].kind == "not"):
                earlier = [one for one in out if one.end <= number]
                read = _bare(tokens[number], earlier[-1] if earlier else None, now, expect_length)
                out.extend(_Found(kind, number, number + 1, when, MINUTE) for kind, when in read)
        return sorted(out, key=lambda one: one.begin)

    def _corrected(self, tokens: list[Token], begin: int, end: int) -> bool:
        return any(token.kind == "correction" for token in tokens[begin:end])

    def _summed_up(self, tokens: list[Token], definite: list[_Found]) -> When:
        last = definite[-1]  # "twenty, no, make it thirty": what was said last counts
        begin = last.begin
        for one in reversed(definite[:-1]):
            if any(token.kind == "unknown" for token in tokens[one.end : begin]):
                break
            begin = one.begin
        span = _span(tokens, begin, last.end)
        if last.when.seconds is not None and last.when.seconds < 0:
            return When("past", last.when.seconds, is_clock=True, span=span)
        return replace(last.when, span=span)

    def _only_a_day(self, tokens: list[Token]) -> bool:
        return any(one.kind in ("day", "weekday", "part") for one in tokens) and all(one.kind != "unknown" for one in tokens)


def _either(words: set[str]) -> str:
    return "|".join(re.escape(word) for word in sorted(words, key=lambda word: (-len(word), word)))


def _span(tokens: list[Token], begin: int, end: int) -> tuple[int, int]:
    return tokens[begin].at[0], tokens[end - 1].at[1]


def _amount(token: Token | None) -> float | None:
    if token is None:
        return None
    if token.kind == "decimal":
        return float(token.text) if token.text.count(".") == 1 else None
    return token.value if token.kind in ("number", "few") else 1.0  # "an hour"


def _length(roles: Mapping[str, Token]) -> tuple[float, float] | None:
    """(seconds, unit in seconds) of a length. Roles: amount, unit, share (of one unit), extra (added, `count` times), lesser."""
    unit = roles["unit"].value if "unit" in roles else MINUTE
    amount = _amount(roles.get("amount"))
    if "share" in roles:
        value = (1.0 if amount is None else amount) * roles["share"].value * unit
    else:
        extra = roles["extra"].value * (roles["count"].value if "count" in roles else 1.0) if "extra" in roles else 0.0
        value = ((amount or 0.0) + extra) * unit
    if "lesser" in roles:
        if unit not in _SMALLER or roles["lesser"].value >= HOUR / MINUTE:
            return None
        value += roles["lesser"].value * _SMALLER[unit]
    return (value, unit) if value > 0 or amount == 0 else None


def _clock(roles: Mapping[str, Token], wrapped: list[Token], now: datetime) -> When | None:
    """A time of day. Roles: hour, minute, past and before (minutes or a fraction), digits, named, same."""
    day, part = _day(wrapped, now)
    if "same" in roles:
        if day is None and roles["same"].kind == "same":
            return None
        return _until(now, now + timedelta(days=day or 0))
    read = _hour_and_minute(roles)
    if read is None:
        return None
    if read.hour is None:
        target = now.replace(minute=read.minute, second=0, microsecond=0)
        return _until(now, target if target > now else target + timedelta(hours=1))
    moment = _resolved(read, part, day, now)
    if "unit" in roles:  # "fifteen minutes from one"
        moment += timedelta(seconds=(_amount(roles.get("amount")) or 1.0) * roles["unit"].value)
    return _until(now, moment)


def _until(now: datetime, target: datetime) -> When:
    # Aware times are compared as instants, so that a night with a clock change is counted right.
    seconds = target.timestamp() - now.timestamp() if now.tzinfo else (target - now).total_seconds()
    return When("definite", seconds, is_clock=True)


def _day(wrapped: list[Token], now: datetime) -> tuple[int | None, tuple[float, float] | None]:
    day: int | None = None
    part: tuple[float, float] | None = None
    for token in wrapped:
        if token.kind == "day":
            day = int(token.value)
        elif token.kind == "weekday":
            day = (int(token.value) - now.weekday()) % 7 or 7
        else:
            part = token.part
            if token.day is not None:
                day = token.day
    return day, part


@dataclass(frozen=True, slots=True)
class _Face:
    """What a clock face shows. `hour` is None for "half past"; `exact`: the hour is one of twenty-four."""

    hour: int | None
    minute: int
    exact: bool = False


def _hour_and_minute(roles: Mapping[str, Token]) -> _Face | None:
    """None where the numbers make no time."""
    exact = False
    minute = 0
    if "digits" in roles:
        numbers = [int(one) for one in roles["digits"].text.replace(".", ":").split(":")]
        hour, minute = numbers[0], numbers[1]
        exact = hour > 12 or roles["digits"].text.startswith("0")
    elif "named" in roles:
        hour, exact = int(roles["named"].value), True
    elif "hour" in roles:
        hour = int(roles["hour"].value)
        if hour >= 100:  # "fifteen hundred", "0830"
            hour, minute = divmod(hour, 100)
        exact = hour > 12 or hour == 0 or roles["hour"].text.startswith("0")
    else:
        return _minutes_only(roles)
    if "minute" in roles:
        minute = int(roles["minute"].value)
    for role, sign in (("past", 1), ("before", -1)):
        if role in roles:
            minute += sign * int(_minutes(roles[role]))
    if minute < 0:
        hour, minute = (hour - 1) % 24 if hour != 1 else 12, minute + 60
    return _Face(hour, minute, exact) if hour <= 24 and minute < 60 else None


def _minutes_only(roles: Mapping[str, Token]) -> _Face | None:
    if "past" in roles:
        minute = int(_minutes(roles["past"]))
    elif "before" in roles:
        minute = 60 - int(_minutes(roles["before"]))
    else:
        return None
    return _Face(None, minute) if 0 <= minute < 60 else None


def _minutes(token: Token) -> float:
    return token.value * HOUR / MINUTE if token.kind == "fraction" else token.value


def _resolved(face: _Face, part: tuple[float, float] | None, day: int | None, now: datetime) -> datetime:
    """The moment meant: inside `part` of the day where one was named, else the next that comes (domain: within 14 h)."""
    hour, minute = face.hour or 0, face.minute
    hours = [hour] if face.exact else [hour % 12, hour % 12 + 12]
    if part is not None:
        shifted = [one + 24 if one < part[0] and part[1] > 24 else one for one in hours]
        inside = [one for one in shifted if part[0] <= one + minute / 60 < part[1] or one == part[1] == 24]
        hours = inside or ([hours[-1]] if part[0] >= 12 else [hours[0]])  # "this afternoon at eleven": they said it
    midnight = now.replace(hour=0, minute=0, second=0, microsecond=0)
    if day is not None:
        if part is None and len(hours) == 2 and day:
            hours = [hour % 12 if hour in _WAKING_MORNING else hour % 12 + 12]
        moments = [midnight + timedelta(days=day, hours=one, minutes=minute) for one in hours]
        return next((one for one in moments if one > now), moments[-1])
    moments = [midnight + timedelta(days=days, hours=one, minutes=minute) for days in (-1, 0, 1) for one in hours]
    return min(one for one in moments if one > now)


def _bare(token: Token, earlier: _Found | None, now: datetime, expect_length: bool) -> list[tuple[str, When]]:
    """A number alone: like the time it corrects; else minutes when a length was asked; else 1 to 12 is an hour."""
    if token.value <= 0:
        return []
    as_length = expect_length or (token.value > 12 and not (len(token.text) == 4 and token.text.isdecimal()))  # "1030"
    unit = MINUTE
    if earlier is not None and not earlier.when.bare:
        as_length = earlier.kind == "length"
        unit = earlier.unit or MINUTE
    if as_length and token.value * unit <= DAY:
        return [("length", When("definite", token.value * unit, bare=True))]
    when = _clock({"hour": token}, [], now)
    return [] if when is None else [("clock", replace(when, bare=True))]


__all__ = ["NONE", "Times", "When"]
