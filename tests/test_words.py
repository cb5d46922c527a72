"""Every word that the guide can say, pinned in one file per language, so that a change of wording is read before it lands."""

from __future__ import annotations

from pathlib import Path

import pytest

from voiceguide.language.check import variants
from voiceguide.language.pack import Pack

HERE = Path(__file__).parent


@pytest.mark.parametrize("language", Pack.languages())
def test_the_words_are_the_ones_that_were_read(language: str, accept: bool) -> None:
    pack = Pack.load(language)
    lines = [f"{name} ({variant}): {text}" for name, prompt in sorted(pack.prompts.items()) for variant, text in variants(prompt)]
    file = HERE / f"words.{language}.txt"
    if accept:
        file.write_text("\n".join(lines) + "\n", encoding="utf-8")
    assert file.read_text(encoding="utf-8").splitlines() == lines, "the words have changed: read them, then scripts/test --accept"
