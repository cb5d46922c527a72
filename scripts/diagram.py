"""Draws the state machine from its own table into the README, between the two `<!-- diagram -->` marks; `--check` only looks."""

from __future__ import annotations

import sys
from pathlib import Path

from voiceguide.core.machine import diagram

README = Path(__file__).resolve().parents[1] / "README.md"
MARK = "<!-- diagram -->"


def redrawn(text: str) -> str:
    """The README's text with the diagram of today's table. Raises ValueError when the two marks are not there."""
    before, _, after = text.split(MARK)
    return f"{before}{MARK}\n\n```mermaid\n{diagram().strip()}\n```\n\n{MARK}{after}"


def main(arguments: list[str]) -> int:
    """Exit code 1 when `--check` finds the README stale or without marks."""
    text = README.read_text("utf-8")
    try:
        fresh = redrawn(text)
    except ValueError:
        print(f"README.md needs two lines {MARK} with the diagram between them", file=sys.stderr)
        return 1
    if "--check" in arguments and fresh != text:
        print("the diagram in README.md is stale: run scripts/diagram", file=sys.stderr)
        return 1
    if fresh != text:
        README.write_text(fresh, "utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
