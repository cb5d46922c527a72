"""What a couple hears: every `.dialogue` is played and must come out as written; killed at any commit, nothing agreed is lost."""

from __future__ import annotations

import fnmatch
from datetime import timedelta, timezone
from pathlib import Path

import pytest

from voiceguide.assembly import Content
from voiceguide.dialogue import GUIDE, Dialogue, clock_of, read_dialogue
from voiceguide.rehearsing import Moment, Rehearsal

FOLDER = Path(__file__).parent / "dialogues"
FILES = sorted(FOLDER.glob("*.dialogue"))
ZONE = timezone(timedelta(hours=1))


def play(dialogue: Dialogue, language: str = "en") -> list[Moment]:
    return Rehearsal(Content.load(language, encoder=False), dialogue, ZONE).play()


def language_of(path: Path) -> str:
    return "ko" if path.stem.endswith("_ko") else "en"


@pytest.mark.parametrize("path", FILES, ids=lambda p: p.stem)
def test_a_couple_hears_what_is_written(path: Path, accept: bool) -> None:
    dialogue = read_dialogue(path)
    moments = play(dialogue, language_of(path))
    for moment in moments:
        for pattern in dialogue.never:
            assert not (moment.prompt and fnmatch.fnmatch(moment.prompt, pattern)), f"never: {moment.prompt}"
    written = rewritten(path.read_text(encoding="utf-8"), moments)
    if accept:
        path.write_text(written, encoding="utf-8")
    assert path.read_text(encoding="utf-8") == written, "what is heard has changed: read it, then scripts/test --accept"


def rewritten(text: str, moments: list[Moment]) -> str:
    """The dialogue with the guide's lines as they were heard, and each partner's intent in braces."""
    head: list[str] = []
    stamps: list[tuple[str, str, str]] = []
    for line in text.splitlines():
        parts = line.split(None, 2)
        if len(parts) < 3 or line.startswith("#") or line.split(":")[0] in ("start", "never", "end", "note", "first"):
            head.append(line.rstrip())
        elif parts[1] != GUIDE:
            stamps.append((parts[0], parts[1], parts[2].split("  {")[0].rstrip()))
    body: list[str] = []
    spoken = iter(stamps)
    for moment in [*moments, None]:
        if moment is not None and moment.who == GUIDE:
            body.append(
                f"{clock_of(moment.at) + '  ':<9}{GUIDE:<7}{moment.prompt}{' ' + moment.wording if moment.wording else ''}"
            )
            continue
        stamp, who, said = next(spoken, ("", "", ""))
        if who:
            intent = f"  {{{understood(moment)}}}" if moment is not None and moment.intent else ""
            body.append(f"{stamp + '  ':<9}{who:<7}{said}{intent}")
    return "\n".join([*head, *body]) + "\n"


def understood(moment: Moment) -> str:
    """The intent, and a safety cue. Other cues shift with every training: what they lead to stands in the guide's lines."""
    return ", ".join((moment.intent, *(cue for cue in moment.cues if cue.startswith("safety."))))
