"""What the detectors owe to two upset people: nothing over dinner, something when it matters, never an exception."""

from __future__ import annotations

from pathlib import Path

import pytest

from voiceguide.adapters.mpnet import ENCODER
from voiceguide.assembly import open_encoder
from voiceguide.errors import ContentError, ModelError
from voiceguide.language.clauses import Lexicon
from voiceguide.language.contract import contract
from voiceguide.language.detecting import Detectors, load_heads, load_rules
from voiceguide.language.heads import Heads
from voiceguide.language.rules import compile_rules
from voiceguide.language.understanding import Found
from voiceguide.runtime.models import models_folder

HAS_WEIGHTS = (models_folder() / ENCODER / "model.safetensors").is_file()
HALVES = ["rules", *(["full"] if HAS_WEIGHTS else [])]


@pytest.fixture(scope="module")
def loaded() -> dict[str, Detectors]:
    return {"rules": Detectors.load("en"), "full": Detectors.load("en", open_encoder())}


@pytest.fixture(params=HALVES)
def detectors(request: pytest.FixtureRequest, loaded: dict[str, Detectors]) -> Detectors:
    return loaded[request.param]


@pytest.fixture
def best(loaded: dict[str, Detectors]) -> Detectors:
    return loaded[HALVES[-1]]


def look(detectors: Detectors, text: str, expect: str | None = "talk", topic: tuple[str, ...] = ()) -> Found:
    hoped = contract().expectations[expect] if expect else None
    return detectors.examine(text, text, hoped, topic)


def test_the_rules_serve_alone_where_the_encoder_is_absent(loaded: dict[str, Detectors]) -> None:
    assert loaded["rules"].heads is None
    assert (loaded["full"].heads is not None) == HAS_WEIGHTS


@pytest.mark.parametrize("text", ["", " ", "🙂🙂🙂", "\x00\x1b[2J", "\ud83d", "?!...", "zzkx qqpt vv", "word " * 5000,
                                  "나 지금 못 하겠어", "f*** this s***", "'" * 300, "((((|[*<x>", "i " * 700 + "cannot"])
@pytest.mark.parametrize("expect", [None, "talk", "apology", "promise", "request", "yes_no"])
def test_any_text_gets_an_answer_and_never_an_exception(detectors: Detectors, text: str, expect: str | None) -> None:
    found = look(detectors, text, expect)
    assert 0.0 <= found.confidence <= 1.0
    assert all(0.0 <= cue.confidence <= 1.0 for cue in found.cues)


def test_silence_is_nothing_at_all(detectors: Detectors) -> None:
    assert look(detectors, "…") == Found()


@pytest.mark.parametrize("text", ["can we take a break please", "i need twenty minutes to calm down",
                                  "I n-n-need a break right now", "can we, um, please just pause this"])
def test_a_plain_wish_to_pause_is_suggested(detectors: Detectors, text: str) -> None:
    assert look(detectors, text).suggestion == "pause"


@pytest.mark.parametrize("text", ["we need a coffee break", "pause the film for a second", "the rice needs ten minutes",
                                  "you always make me laugh", "shall i put the kettle on", "my back is killing me",
                                  "the pasta is nearly ready", "i could kill for a coffee", "you are killing me with that joke",
                                  "did you feed the dog", "beat the eggs and fold in the flour"])
def test_ordinary_talk_leaves_the_guide_silent(detectors: Detectors, text: str) -> None:
    found = look(detectors, text)
    assert (found.suggestion, found.safety) == ("", "")


def test_stammering_is_no_sign_and_changes_nothing(best: Detectors) -> None:
    smooth, stammered = look(best, "can you pass the salt"), look(best, "c c can you can you p p pass the the the salt")
    assert stammered.cues == smooth.cues == ()


@pytest.mark.parametrize(("text", "kind"), [
    ("i'm sorry if i hurt you", "conditional"),
    ("i'm sorry you feel that way", "feelings"),
    ("i'm sorry but you started it", "but"),
    ("mistakes were made", "passive"),
    ("i already said sorry what more do you want", "impatient"),
])
def test_a_hedge_is_named_with_the_characters_that_show_it(best: Detectors, text: str, kind: str) -> None:
    apology = look(best, text, "apology").apology
    assert apology is not None
    assert not apology.owned
    assert kind in [hedge.kind for hedge in apology.hedges]
    for hedge in apology.hedges:
        assert 0 <= hedge.span[0] < hedge.span[1] <= len(text)


@pytest.mark.parametrize("text", [
    "i shouted at you in front of your mother it was wrong and it embarrassed you",
    "i'm sorry that i lied about the money that was wrong of me you had to find out from the bank",
    "i forgot your birthday that's on me and you sat there alone",
])
def test_an_owned_apology_is_not_sent_back(best: Detectors, text: str) -> None:
    apology = look(best, text, "apology").apology
    assert apology is not None
    assert apology.owned
    assert apology.hedges == ()


@pytest.mark.parametrize(("text", "missing"), [
    ("when you start talking after dinner i will put my phone in the drawer", ()),
    ("every sunday at seven i'll go through the bills with you", ()),
    ("i'll try harder", ("act",)),
    ("i'll be better", ("act",)),
])
def test_a_promise_is_asked_only_for_its_first_missing_part(best: Detectors, text: str, missing: tuple[str, ...]) -> None:
    promise = look(best, text, "promise").promise
    assert promise is not None
    assert promise.missing == missing
    assert promise.observable is (not missing)


@pytest.mark.parametrize(("text", "observable"), [
    ("please text me before six when you are going to be late", True),
    ("care more about me", False),
    ("stop being so cold", False),
])
def test_a_request_must_be_something_to_see(best: Detectors, text: str, observable: bool) -> None:
    request = look(best, text, "request").request
    assert request is not None
    assert request.observable is observable


def test_judgements_come_only_where_they_were_asked_for(best: Detectors) -> None:
    found = look(best, "i'm sorry but you started it", "talk")
    assert (found.apology, found.promise, found.request) == (None, None, None)


def test_what_the_talk_is_about_is_never_the_past_as_a_weapon(best: Detectors) -> None:
    text = "this is just like what you did with the car last year"
    assert look(best, text).past_as_weapon
    assert not look(best, text, topic=("car",)).past_as_weapon


@pytest.mark.parametrize(("text", "kinds"), [
    ("i'm going to kill you", {"threat"}),
    ("i want to die", {"self_harm"}),
    ("i'm going to kill myself", {"self_harm"}),
    ("he is choking me", {"danger", "violence"}),
])
def test_danger_to_a_person_is_found_and_self_harm_told_apart(detectors: Detectors, text: str, kinds: set[str]) -> None:
    assert look(detectors, text).safety in kinds


def test_one_sentence_in_a_long_turn_is_not_drowned(best: Detectors) -> None:
    calm = "we went to the market and bought some apples and then we came home and made a pie for your sister "
    assert look(best, calm + "i will kill you i swear " + calm).safety == "threat"
    assert look(best, calm * 2).safety == ""


def test_a_curt_answer_to_a_question_is_no_withdrawal(best: Detectors) -> None:
    assert look(best, "fine", "yes_no").cues == ()


def test_answers_are_suggested_among_those_hoped_for(best: Detectors) -> None:
    found = look(best, "yeah go on then", "yes_no")
    assert found.suggestion in contract().expectations["yes_no"].intents
    assert look(best, "yeah go on then", "talk").suggestion != "yes"


def test_a_value_shows_nothing_of_what_was_said(best: Detectors) -> None:
    reading = best.read("my secret is xylophone")
    assert "xylophone" not in repr(reading.utterance)
    assert "xylophone" not in repr(reading.clauses)
    assert "xylophone" not in repr(look(best, "i am sorry about the xylophone", "apology"))


# --- the little language of patterns ---


@pytest.fixture(scope="module")
def lexicon() -> Lexicon:
    return load_rules("en")[0]


@pytest.mark.parametrize(("pattern", "text", "found"), [
    ("can't go", "I cannot go", True),
    ("can't go", "i can not go", True),
    ("(tea|coffee) break", "a coffee break", True),
    ("[very] late", "late", True),
    ("you * late", "you are always so late", True),
    ("you *1 late", "you are always so late", False),
    ("interrupt~", "stop interrupting me", True),
    ("^ fine $", "fine", True),
    ("^ fine $", "fine weather", False),
    ("you late", "for you. late trains", False),
])
def test_patterns_mean_what_the_authors_guide_says(lexicon: Lexicon, pattern: str, text: str, found: bool) -> None:
    rules = compile_rules({"words": {"lists": {}}, "x": {"y": {"any": [pattern]}}}, lexicon)
    assert bool(rules.match(lexicon.read(text))) is found


@pytest.mark.parametrize("table", [{"y": {"any": ["<nowhere>"]}}, {"y": {"any": ["(open"]}}, {"y": ["no table"]}, {"y": {}}])
def test_a_broken_pattern_is_named_with_file_and_kind(lexicon: Lexicon, table: dict[str, object]) -> None:
    with pytest.raises(ValueError, match="x"):
        compile_rules({"words": {"lists": {}}, "x": table}, lexicon)


def test_spans_count_the_characters_of_the_original(lexicon: Lexicon) -> None:
    text = "Well, I'm s-s-sorry IF it hurt!"
    rules = compile_rules({"words": {"lists": {}}, "x": {"y": {"any": ["sorry if"]}}}, lexicon)
    begin, end = rules.match(lexicon.read(text))["x.y"]
    assert text[begin:end].lower().endswith("sorry if")


def test_clauses_know_subject_modal_and_negation(lexicon: Lexicon) -> None:
    first, second = lexicon.clauses(lexicon.read("I won't shout but you never listen"))
    assert (first.subject, first.modal, first.negated, first.verb) == ("i", "will", True, "shout")
    assert (second.opener, second.subject, second.negated) == ("but", "you", True)


def test_a_language_without_detectors_is_a_content_error() -> None:
    with pytest.raises(ContentError):
        load_rules("xx")


# --- the trained files ---


def test_heads_of_other_rules_are_refused(tmp_path: Path) -> None:
    _, rules, _ = load_rules("en")
    shipped = load_heads("en", rules)
    assert shipped is not None
    shipped.save(tmp_path)
    assert Heads.load(tmp_path, rules.names).heads.keys() == shipped.heads.keys()
    with pytest.raises(ModelError, match="other rules"):
        Heads.load(tmp_path, (*rules.names, "one.more"))
    (tmp_path / "heads.npz").write_bytes((tmp_path / "heads.npz").read_bytes()[:500])
    with pytest.raises(ModelError):
        Heads.load(tmp_path, rules.names)


def test_all_heads_together_stay_below_a_megabyte() -> None:
    import importlib.resources

    folder = importlib.resources.files("voiceguide") / "content" / "en" / "heads"
    assert sum(len(file.read_bytes()) for file in folder.iterdir()) < 1_000_000
