"""Commands and answers: labelled sentences, whole utterances only, stammering, names; hassil reads our templates alike."""

from __future__ import annotations

import importlib.resources
import re
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from voiceguide.language.contract import Hoped, contract, read_toml
from voiceguide.language.pack import Pack
from voiceguide.language.templates import TemplateError, TemplateIndex, parse, samples, short_sentences
from voiceguide.language.understanding import Found, Understanding, as_json

NOW = datetime(2026, 3, 10, 19, 40)  # noqa: DTZ001 - the clock on the kitchen wall has no zone
NAMES = ("Anna", "Ben")
PACK = Pack.load("en")
UNDERSTANDING = Understanding(PACK)


def intent(text: str, expect: str | None = None, names: tuple[str, ...] = NAMES, phrase: str = "") -> str:
    return UNDERSTANDING.understand(text, expect, NOW, names, phrase).intent


def examples(language: str) -> Iterator[tuple[str, str | None, str, dict[str, int]]]:
    folder = importlib.resources.files("voiceguide") / "content" / language / "examples"
    for file in sorted(one.name for one in folder.iterdir() if one.name.endswith(".toml")):
        for row in read_toml(f"{language}/examples", file)["example"]:
            yield row["text"], row.get("expect"), row["intent"], row.get("slots", {})


@pytest.mark.parametrize("language", Pack.languages())
def test_every_labelled_example_is_understood(language: str) -> None:
    understanding = Understanding(Pack.load(language))
    wrong: list[str] = []
    count = 0
    for text, expect, wanted, slots in examples(language):
        count += 1
        meaning = understanding.understand(text, expect, NOW, ("안나", "벤") if language == "ko" else NAMES)
        if meaning.intent != wanted or any(meaning.slots.get(key) != value for key, value in slots.items()):
            wrong.append(f"{expect}: {text} -> {meaning.intent} {dict(meaning.slots)}, not {wanted} {slots}")
    assert not wrong, "\n".join(wrong)
    assert count >= (300 if language == "en" else 60)


@pytest.mark.parametrize("expect", [name for name, one in contract().expectations.items() if one.free and name != "resting"])
@pytest.mark.parametrize("text", ["yes please", "no thank you", "okay", "um", "what?", "Yes.", "i don't know", "well no"])
def test_a_bare_answer_is_nowhere_taken_for_what_was_to_be_told(text: str, expect: str) -> None:
    assert intent(text, expect) != "talk"


@pytest.mark.parametrize("text", ["sorry", "sorry for shouting", "no more phones at the table", "yes i was wrong to say that",
                                  "i don't know how to talk to you when you look away"])
def test_what_says_more_than_yes_or_no_is_heard_as_told(text: str) -> None:
    assert intent(text, "apology") == intent(text, "talk" if text != "sorry" else "say_back") == "talk"


NAMED = {
    "my name is Ben": "Ben", "call me ben": "ben", "i'm ben": "ben", "It's Ben.": "Ben", "this is ben": "ben", "ben": "ben",
    "My name\u2019s Mary Ann": "Mary Ann", "um you can call me ben please": "ben", "ben and this is ana": "ben", "so": "so",
    "I am Jean-Luc": "Jean-Luc", "hello i'm o'brien": "o'brien", "yes it's ben": "ben", "just Will": "Will",
    "what do you mean by that exactly": "", "yes please": "", "what": "", "": "", "???": "", "x" * 300: "",
}


@pytest.mark.parametrize(("text", "name"), NAMED.items())
def test_of_what_is_said_around_a_name_only_the_name_is_left(text: str, name: str) -> None:
    meaning = UNDERSTANDING.understand(text, "own_name", NOW)
    slots = meaning.slots
    found = text[int(slots["begin"]) : int(slots["end"])] if "begin" in slots else ""
    assert found == name and (meaning.intent == "talk") == bool(name)


@pytest.mark.parametrize(("text", "name"), [("제 이름은 민수예요", "민수"), ("나는 벤이야", "벤"), ("민수라고 불러 줘", "민수")])
def test_a_korean_name_is_freed_from_what_clings_to_it(text: str, name: str) -> None:
    slots = Understanding(Pack.load("ko")).understand(text, "own_name", NOW).slots
    assert text[int(slots["begin"]) : int(slots["end"])] == name


@given(st.text(max_size=80))
def test_no_text_is_too_strange_to_look_for_a_name_in(text: str) -> None:
    slots = UNDERSTANDING.understand(text, "own_name", NOW).slots
    if "begin" in slots:
        assert text[int(slots["begin"]) : int(slots["end"])].strip()


@pytest.mark.parametrize("expect", [None, *contract().expectations])
def test_the_rails_are_heard_at_every_step(expect: str | None) -> None:
    for text, wanted in (("i need a break", "pause"), ("stop", "stop"), ("help", "help"), ("repeat that", "repeat")):
        assert intent(text, expect) == wanted


def test_a_partner_named_like_a_command_does_not_break_it() -> None:
    assert intent("stop", "who_first", ("Stop", "Pause")) == "stop"
    assert intent("pause", "who_first", ("Stop", "Pause")) == "pause"
    assert intent("stop should go first", "who_first", ("Stop", "Pause")) == "name"


def test_a_command_word_inside_a_sentence_does_not_fire() -> None:
    for text in ("the bus stops here", "stop signs are red", "help yourself to some more", "repeat offenders are everywhere"):
        assert intent(text) == "talk"


def test_the_agreed_phrase_is_a_pause_request() -> None:
    assert intent("purple elephant", "talk", phrase="Purple elephant!") == "pause"
    assert intent("okay listen purple elephant now", "talk", phrase="purple elephant") == "pause"
    assert intent("pineapple", "resting", phrase="pineapple") == "pause"
    assert intent("pineapple on pizza is fine", "resting", phrase="pineapple") == "talk"
    assert intent("purple elephant", "talk") == "talk"


def test_a_return_time_inside_a_pause_request_is_kept() -> None:
    meaning = UNDERSTANDING.understand("I need twenty minutes.", None, NOW)
    assert (meaning.intent, meaning.certain, meaning.return_seconds) == ("pause", True, 1200)


@dataclass(frozen=True)
class Ear:
    """Detectors that hear one thing in everything."""

    found: Found

    def examine(self, text: str, normal: str, hoped: Hoped | None) -> Found:
        del text, normal, hoped
        return self.found


@pytest.mark.parametrize(("suggestion", "sure", "intent"), [
    ("objection", 0.9, "objection"), ("objection", 0.5, "return_time"), ("yes", 0.9, "return_time"), ("", 0.0, "return_time")])
def test_a_time_in_a_plain_objection_is_no_return_time(suggestion: str, sure: float, intent: str) -> None:
    understanding = Understanding(Pack.load("en"), Ear(Found(suggestion=suggestion, confidence=sure)))
    assert understanding.understand("twenty minutes my foot", "return_time", NOW).intent == intent


def test_an_open_answer_carries_no_time() -> None:
    for text in ("later", "in a bit", "after dinner", "tomorrow"):
        meaning = UNDERSTANDING.understand(text, "return_time", NOW)
        assert (meaning.intent, meaning.return_seconds) == ("open_time", None)


@pytest.mark.parametrize(
    "text",
    ["", " ", "👍👍", "\x00\x07\x1b[", "ja nein vielleicht weiß nicht", "쉬고 싶어요", "…?!", "'", "{time}", "(((", "a" * 9000],
)
def test_bad_input_is_answered_with_low_confidence(text: str) -> None:
    meaning = UNDERSTANDING.understand(text, None, NOW)
    assert meaning.intent in ("none", "talk")
    assert not meaning.certain
    assert meaning.confidence <= 0.6


def test_five_thousand_words_are_no_command() -> None:
    assert intent("and then you said that i said that " * 625) == "talk"


@settings(max_examples=200)
@given(st.text(max_size=300), st.sampled_from([None, "return_time", "number", "who_first", "talk"]), st.text(max_size=20))
def test_understanding_never_raises(text: str, expect: str | None, name: str) -> None:
    meaning = UNDERSTANDING.understand(text, expect, NOW, (name, "Ben"), name)
    assert meaning.intent in contract().intents
    assert as_json(text, meaning)["intent"] == meaning.intent


def test_no_phrase_is_claimed_by_two_intents_of_one_step() -> None:
    for language in Pack.languages():
        assert Pack.load(language).commands.claimed_twice() == []


def test_every_intent_of_the_contract_has_sentences() -> None:
    for language in Pack.languages():
        assert set(contract().intents) - {"talk", "none"} == set(Pack.load(language).commands.intents())


def test_every_command_has_a_short_form() -> None:
    """One word is enough for whoever cannot say more (domain 7.3)."""
    for rail in contract().rails:
        assert any(" " not in phrase for phrase in PACK.commands.phrases([rail], 2)) or rail.endswith("_sensitive"), rail


def test_the_vocabulary_of_a_step_holds_its_answers_and_the_rails() -> None:
    vocabulary = UNDERSTANDING.expectation("return_time", NAMES)
    assert {"pause", "stop", "later"} <= vocabulary.phrases
    assert {"twenty", "minutes", "half", "pause"} <= vocabulary.words
    assert re.match(vocabulary.pattern, "half past eight")
    assert re.match(vocabulary.pattern, "twenty five minutes")
    assert not re.match(vocabulary.pattern, "twenty")  # "twenty … five minutes": not complete yet
    assert {"anna", "ben"} <= UNDERSTANDING.expectation("who_first", NAMES).phrases
    assert "seven" in UNDERSTANDING.expectation("number").phrases


def test_json_has_the_fields_of_the_design() -> None:
    answer = as_json("yes", UNDERSTANDING.understand("yes", "ready", NOW))
    fields = ["text", "intent", "slots", "return_seconds", "cues", "apology", "promise", "request", "past_as_weapon", "safety"]
    assert set(fields) <= set(answer)


@pytest.mark.parametrize("template", ["(a|b", "a)", "<missing> a", "we[st]", "[a]"])
def test_a_broken_template_is_refused(template: str) -> None:
    with pytest.raises(TemplateError):
        parse(template, {})


def test_templates_mean_what_hassil_means() -> None:
    """hassil is the notation; ours is only the faster reader."""
    hassil = pytest.importorskip("hassil")
    table = read_toml("en", "commands.toml")
    for name, spec in table["intents"].items():
        templates = [one for one in spec["sentences"] if "'" not in one.replace("'d", "")][:4]
        said = [(one, text) for one in templates for text in samples(parse(one, table["rules"]), 2) if "{" not in text]
        data = {"language": "en", "intents": {name: {"data": [{"sentences": templates}]}}, "expansion_rules": table["rules"]}
        lists = {key: {"values": ["slotword"]} for key in ("time", "longer", "number", "name")}
        intents = hassil.Intents.from_dict({**data, "lists": lists})
        for template, text in said:
            assert hassil.recognize(text, intents) is not None, (template, text)


def test_short_sentences_are_short_and_complete() -> None:
    assert short_sentences([parse("[please] (stop|go on) [now {time}]", {})], 9, 2) == ["stop", "go on", "please stop"]


def test_an_index_answers_for_whole_texts_only() -> None:
    index = TemplateIndex()
    index.add("a", [parse("i ('d like|want) tea", {})])
    assert index.match("i'd like tea") == ("a",)
    assert index.match("i'd like tea now") == ()
