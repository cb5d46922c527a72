"""What happens, shown: captions for people, a trace without words for measuring."""

from __future__ import annotations

import contextlib
import json
import sys
import textwrap
import time
from pathlib import Path
from typing import TextIO

from typing_extensions import Self

from voiceguide.core.effects import Say
from voiceguide.errors import UsageError
from voiceguide.language.judgements import Meaning

_WIDTH = 78


class Captions:
    """Lines for a terminal or a screen reader: who, then the words, wrapped at 78 columns. Keeps nothing."""

    def __init__(self, out: TextIO | None = None) -> None:
        self._out = out or sys.stdout

    def heard(self, at: float, text: str, meaning: Meaning, state: str) -> None:  # noqa: ARG002 - the shape of Observer
        """A partner's words."""
        self._show(at, "heard", text or "(nothing that could be understood)")

    def said(self, at: float, say: Say, text: str, state: str) -> None:  # noqa: ARG002 - the shape of Observer
        """The guide's words."""
        self._show(at, "guide", text)

    def noted(self, at: float, what: str, detail: str) -> None:
        """Only trouble is worth a caption."""
        if what.endswith("_failed"):
            self._show(at, "trouble", f"{what.removesuffix('_failed')} ({detail})")

    def _show(self, at: float, who: str, text: str) -> None:
        stamp = time.strftime("%H:%M:%S", time.localtime(at))
        lines = textwrap.wrap(text, _WIDTH - 18) or [""]
        print(f"{stamp}  {who:<7} {lines[0]}", file=self._out)
        for line in lines[1:]:
            print(f"{'':18}{line}", file=self._out)
        self._out.flush()


class Trace:
    """One JSON object a line: what happened when, as ids and seconds. Never a word that was said."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._file: TextIO | None = None
        self._start = 0.0

    def open(self, start: float) -> Self:
        """Begin the file; times count from `start`. Raises UsageError when it cannot be written."""
        try:
            self._file = self._path.open("w", encoding="utf-8", buffering=1)
        except OSError as error:
            raise UsageError(
                "no_trace", f"{self._path} cannot be written ({error.strerror})", hint="Choose another place"
            ) from None
        self._start = start
        return self

    def heard(self, at: float, text: str, meaning: Meaning, state: str) -> None:
        """An utterance: its intent and how many words."""
        words = len(text.split())
        cues = [cue.kind for cue in meaning.cues]
        self.write(at, what="heard", intent=meaning.intent, words=words, cues=cues, state=state)

    def said(self, at: float, say: Say, text: str, state: str) -> None:  # noqa: ARG002 - the shape of Observer
        """A prompt, by id."""
        self.write(at, what="said", prompt=say.prompt, wording=say.wording, number=say.number, state=state)

    def noted(self, at: float, what: str, detail: str) -> None:
        """Everything else."""
        self.write(at, what=what, detail=detail)

    def write(self, at: float, **values: object) -> None:
        """One line."""
        if self._file is not None:
            try:
                print(json.dumps({"at": round(at - self._start, 3), **values}), file=self._file)
            except OSError as error:  # a full disk ends the trace, not the evening
                file, self._file = self._file, None
                with contextlib.suppress(OSError):
                    file.close()
                print(f"voiceguide: The trace {self._path} ends here ({error.strerror}). The guide goes on", file=sys.stderr)

    def close(self) -> None:
        """Safe to call twice."""
        if self._file is not None:
            self._file.close()
            self._file = None
