"""`voiceguide understand`: lines in, what was understood out, one answer a line, in order, as they come."""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from voiceguide import settings
from voiceguide.assembly import Content
from voiceguide.errors import UsageError
from voiceguide.language.understanding import as_json

_FIRST_YEAR, _LAST_YEAR = 1970, 9000


@dataclass(frozen=True, slots=True)
class Question:
    """One line to be understood."""

    text: str
    expect: str | None
    now: datetime


def understand_command(args: argparse.Namespace) -> int:
    """Read standard input to its end; an empty line is answered too."""
    content = Content.load(args.language or settings.load().language)
    default = Question("", _known(content, args.expect), _moment(args.now) if args.now else datetime.now())  # noqa: DTZ005 - local
    for question in _questions(sys.stdin, default, content):
        meaning = content.understanding.understand(question.text, question.expect, question.now)
        answer = as_json(question.text, meaning)
        print(json.dumps(answer, ensure_ascii=False) if args.json else _as_text(answer), flush=True)
    return 0


def _questions(lines: Iterable[str], default: Question, content: Content) -> Iterator[Question]:
    for number, line in enumerate(lines, 1):
        text = line.rstrip("\r\n")
        data = _object(text)
        if data is None:
            yield Question(text, default.expect, default.now)
            continue
        try:
            now = _moment(str(data["now"])) if data.get("now") else default.now
            expect = _known(content, data["expect"]) if "expect" in data else default.expect
        except UsageError as error:
            raise UsageError(error.code, f"Line {number}: {error.message}", hint=error.hint) from None
        yield Question(str(data["text"] or ""), expect, now)


def _object(line: str) -> dict[str, Any] | None:
    """The JSON object of a line; None for a plain line, also one that only looks like an object or holds no text."""
    try:
        data = json.loads(line) if line.startswith("{") else None
    except (ValueError, RecursionError):
        return None
    return data if isinstance(data, dict) and "text" in data else None


def _known(content: Content, expect: object) -> str | None:
    known = content.pack.contract.expectations
    if expect and not (isinstance(expect, str) and expect in known):
        raise UsageError(
            "unknown_expectation", f"Nothing is expected under the name {expect}", hint=f"Known: {', '.join(sorted(known))}"
        )
    return str(expect) if expect else None


def _moment(text: str) -> datetime:
    try:
        moment = datetime.fromisoformat(text.replace("Z", "+00:00"))
    except ValueError:
        moment = None
    if moment is None or not _FIRST_YEAR <= moment.year <= _LAST_YEAR:  # so that "in a week" is still a date
        raise UsageError("bad_now", f"{text} is no ISO time", hint="Write for example 2026-03-10T19:40")
    return moment


def _as_text(answer: dict[str, Any]) -> str:
    told = {
        key: value for key, value in answer.items() if key not in ("text", "intent") and value not in (None, "", [], {}, False)
    }
    details = "  ".join(f"{key}={json.dumps(value, ensure_ascii=False)}" for key, value in told.items())
    return f"{answer['intent']:<14} {answer['text']}{'  ' + details if details else ''}"
