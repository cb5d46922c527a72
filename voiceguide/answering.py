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
    for line in lines:
        text = line.rstrip("\r\n")
        if not text.startswith("{"):
            yield Question(text, default.expect, default.now)
            continue
        try:
            data = json.loads(text)
            now = _moment(data["now"]) if data.get("now") else default.now
            expect = _known(content, data.get("expect")) if "expect" in data else default.expect
            yield Question(str(data["text"]), expect, now)
        except (ValueError, KeyError, TypeError, AttributeError):
            yield Question(text, default.expect, default.now)  # a line that only looks like JSON is a line


def _known(content: Content, expect: str | None) -> str | None:
    known = content.pack.contract.expectations
    if expect and expect not in known:
        raise UsageError(
            "unknown_expectation", f"Nothing is expected under the name {expect}", hint=f"Known: {', '.join(sorted(known))}"
        )
    return expect or None


def _moment(text: str) -> datetime:
    try:
        return datetime.fromisoformat(text.replace("Z", "+00:00"))
    except ValueError:
        raise UsageError("bad_now", f"{text} is no ISO time", hint="Write for example 2026-03-10T19:40") from None


def _as_text(answer: dict[str, Any]) -> str:
    told = {
        key: value for key, value in answer.items() if key not in ("text", "intent") and value not in (None, "", [], {}, False)
    }
    details = "  ".join(f"{key}={json.dumps(value, ensure_ascii=False)}" for key, value in told.items())
    return f"{answer['intent']:<14} {answer['text']}{'  ' + details if details else ''}"
