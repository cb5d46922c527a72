"""Packs are files: every mistake in them is named with file and key, and every installed language is complete."""

from __future__ import annotations

import importlib.resources
from pathlib import Path

import pytest

from voiceguide.errors import ContentError
from voiceguide.language.contract import contract, read_toml
from voiceguide.language.normalise import Normaliser, Spelling
from voiceguide.language.pack import Pack, Prompt, prompts_of
from voiceguide.language.wording import slots_of


def test_english_and_korean_are_installed() -> None:
    assert {"en", "ko"} <= set(Pack.languages())


def test_an_unknown_language_is_refused_with_the_known_ones() -> None:
    with pytest.raises(ContentError) as refused:
        Pack.load("xx")
    assert refused.value.code == "unknown_language"
    assert "en" in refused.value.hint


@pytest.mark.parametrize(
    ("table", "said"),
    [
        ({"pause": {"begin": {"text": 1}}}, "pause.begin"),
        ({"pause": {"begin": {"text": ""}}}, "pause.begin"),
        ({"pause": {"begin": {"txt": "Okay."}}}, "pause.begin"),
        ({"pause": {"begin": {"text": "Okay.", "agian": "Okay."}}}, "agian"),
        ({"pause": {"begin": {"text": "Okay.", "names": "pause"}}}, "names"),
        ({"text": "Okay."}, "text"),
    ],
)
def test_a_broken_prompt_names_file_and_key(table: dict[str, object], said: str) -> None:
    with pytest.raises(ContentError) as broken:
        prompts_of(table, "content/en/prompts/pause.toml")
    assert "pause.toml" in broken.value.message
    assert said in broken.value.message


def test_a_prompt_may_hold_prompts_beside_its_wordings() -> None:
    found = prompts_of({"a": {"text": "One.", "b": {"text": "Two.", "short": "2."}}}, "x.toml")
    assert found == {"a": Prompt("One."), "a.b": Prompt("Two.", short="2.")}


def test_a_missing_wording_falls_back() -> None:
    prompt = Prompt("Long.", again="Again.")
    assert [prompt.variant(one) for one in ("", "again", "short", "resumed")] == ["Long.", "Again.", "Again.", "Long."]


def test_the_pause_is_spoken_in_every_language_with_the_same_slots() -> None:
    english = Pack.load("en").prompts
    for language in Pack.languages():
        prompts = Pack.load(language).prompts
        for name in ("pause.begin", "pause.ask", "pause.confirm", "pause.agreed", "return.call", "return.choose", "close.ending"):
            assert set(slots_of(prompts[name].text)) == set(slots_of(english[name].text)), (language, name)


@pytest.mark.parametrize("language", Pack.languages())
def test_what_a_prompt_teaches_is_understood(language: str) -> None:
    for prompt in Pack.load(language).prompts.values():
        assert set(prompt.names) <= set(contract().intents)


def test_a_broken_file_is_named_without_a_traceback(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    (tmp_path / "content" / "en").mkdir(parents=True)
    (tmp_path / "content" / "en" / "pack.toml").write_text("name = \n", encoding="utf-8")
    monkeypatch.setattr(importlib.resources, "files", lambda _: tmp_path)
    with pytest.raises(ContentError) as broken:
        read_toml("en", "pack.toml")
    assert "content/en/pack.toml" in broken.value.message
    with pytest.raises(ContentError):
        read_toml("en", "times.toml")


def test_writing_is_made_one_way() -> None:
    spelling = Spelling({"i am": "i'm", "ok": "okay"}, frozenset({"um"}), frozenset({"ten"}))
    normalise = Normaliser(spelling, frozenset({"no", "so"}))
    for said, meant in {
        "I AM  ok!": "i'm okay",
        "twenty-five": "twenty five",
        "at 8:30 p.m.": "at 8:30 pm",
        "I’m — um — here…": "i'm here",
        "st st stop": "stop",
        "no now": "no now",
        "ten ten": "ten ten",
        "i need i need a break": "i need a break",
        "\u200b\x00": "",
    }.items():
        assert normalise(said) == meant
