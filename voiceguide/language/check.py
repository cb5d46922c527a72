"""`voiceguide check`: what an author's files must hold to, each fault with file, key and a suggestion.

Plans: every step reachable, every walk able to end, every way and prompt there. Prompts: at most 22 words (27 hard), grade 6,
slots known, no live rail phrase that the prompt does not declare in `names`. Commands: no phrase claimed by two intents.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass

from voiceguide.core.plan import CLOSE, PAUSE, REST, Kind, Plan, Plans, locate
from voiceguide.language import readability
from voiceguide.language.pack import Pack, Prompt

MOST_WORDS, HARD_WORDS = 22, 27  # domain 8: prompt_words
HIGHEST_GRADE = 6.0  # domain 7.1 [V2]
_WAYS_OUT = (PAUSE, CLOSE, REST)
_VARIANTS = ("text", "again", "short", "resumed")
_SLOTS = re.compile(r"\{(\w+)\}")
# What the core, the plans and the runtime can fill in.
SLOTS = frozenset(
    (
        "due",
        "span",
        "shortest",
        "limit",
        "speaker",
        "listener",
        "support_line",
        "crisis_line",
        "emergency_line",
        "promises",
        "giver",
        "kept",
        "promise",
        "phrase",
        "week",
        "fortnight",
    )
)


@dataclass(frozen=True, slots=True)
class Fault:
    """One thing to mend. `grave` faults stop the product from starting; the others are advice."""

    file: str
    key: str
    text: str
    hint: str
    grave: bool = True


def check(pack: Pack, plans: Plans) -> list[Fault]:
    """Everything that is wrong with a language's content, gravest first."""
    faults = [*_plans(plans), *_prompts_exist(pack, plans), *_prompts(pack, plans), *_commands(pack)]
    return sorted(faults, key=lambda fault: (not fault.grave, fault.file, fault.key))


# -- plans -------------------------------------------------------------------------------------------------------------------


def _plans(plans: Plans) -> Iterator[Fault]:
    for plan in plans.values():
        file = f"plans/{plan.name}.toml"
        yield from _ways(plan, plans, file)
        reached = _reachable(plan, plans)
        for name in plan.steps:
            if name not in reached:
                yield Fault(file, f"steps.{name}", "no step leads here", "Lead a way to it, or delete it")
        yield from _endless(plan, file)


def _ways(plan: Plan, plans: Plans, file: str) -> Iterator[Fault]:
    for step in plan.steps.values():
        key = f"steps.{step.name}"
        if step.kind in (Kind.SAY, Kind.ASK) and not step.prompt:
            yield Fault(file, key, "says nothing", "Give it a prompt")
        if step.kind in (Kind.SAY, Kind.WAIT, Kind.SWAP, Kind.TALK) and not step.next:
            yield Fault(file, key, "leads nowhere", f"Add next = a step, or one of {', '.join(_WAYS_OUT)}")
        if bool(step.limit or step.kind is Kind.EACH) != bool(step.exhausted):
            yield Fault(file, key, "limit and exhausted go together", "Give both, or neither")
        for way in step.ways():
            if way in _WAYS_OUT:
                continue
            target = locate(way, plan.name)
            known = plans.get(target.plan)
            if known is None or (target.step and target.step not in known.steps):
                yield Fault(file, key, f"leads to {way}, which is not there", "Correct the name")


def _reachable(plan: Plan, plans: Plans) -> set[str]:
    """Steps that a walk can come to, from this plan's start or from another plan."""
    waiting = [plan.start]
    for other in plans.values():
        for step in other.steps.values():
            for way in step.ways():
                waiting += _within(way, other.name, plan) if other.name != plan.name else []
    reached: set[str] = set()
    while waiting:
        name = waiting.pop()
        if name in reached or name not in plan.steps:
            continue
        reached.add(name)
        for way in plan.steps[name].ways():
            waiting += _within(way, plan.name, plan)
    return reached


def _within(way: str, here: str, plan: Plan) -> list[str]:
    """The step of `plan` that a way leads to, seen from plan `here`; empty when it leads elsewhere."""
    if way in _WAYS_OUT or locate(way, here).plan != plan.name:
        return []
    return [locate(way, here).step or plan.start]


def _endless(plan: Plan, file: str) -> Iterator[Fault]:
    """A ring of steps that nobody is asked in would talk for ever."""
    for start in plan.steps:
        seen: list[str] = []
        name = start
        while name in plan.steps and plan.steps[name].kind in (Kind.SAY, Kind.WAIT, Kind.SWAP) and not plan.steps[name].limit:
            if name in seen:
                if name == start:
                    yield Fault(
                        file, f"steps.{name}", "is part of a ring in which nobody is asked", "Ask something, or add a limit"
                    )
                break
            seen.append(name)
            name = plan.steps[name].next


# -- prompts -----------------------------------------------------------------------------------------------------------------


def _prompts_exist(pack: Pack, plans: Plans) -> Iterator[Fault]:
    for plan in plans.values():
        for step in plan.steps.values():
            if step.prompt and step.prompt not in pack.prompts:
                hint = f"Add it to content/{pack.language}/prompts"
                yield Fault(f"plans/{plan.name}.toml", f"steps.{step.name}", f"prompt {step.prompt} is not in the pack", hint)


def _prompts(pack: Pack, plans: Plans) -> Iterator[Fault]:
    dictated = {step.dictates for plan in plans.values() for step in plan.steps.values() if step.dictates}
    for name, prompt in pack.prompts.items():
        for variant, text in variants(prompt):
            key = name if variant == "text" else f"{name} ({variant})"
            file = f"{pack.language}/prompts"
            yield from _length(pack.language, file, key, text)
            for slot in _SLOTS.findall(text):
                if slot not in SLOTS and slot not in dictated:
                    yield Fault(file, key, f"unknown slot {{{slot}}}", f"Known: {', '.join(sorted(SLOTS | dictated))}")
            for intent in _live_rails(pack, text):
                if intent not in prompt.names:
                    hint = f'Say it in other words, or add "{intent}" to its names'
                    yield Fault(file, key, f"contains a phrase that the rail {intent} listens for", hint, grave=intent == "stop")


def variants(prompt: Prompt) -> Iterator[tuple[str, str]]:
    """The wordings of a prompt that are given, by name."""
    for variant in _VARIANTS:
        if text := getattr(prompt, variant):
            yield variant, text


def _length(language: str, file: str, key: str, text: str) -> Iterator[Fault]:
    count = readability.words(text)
    if count > MOST_WORDS:
        yield Fault(file, key, f"{count} words (at most {MOST_WORDS})", "Say one thing", grave=count > HARD_WORDS)
    if language == "en" and readability.grade(text) > HIGHEST_GRADE:
        yield Fault(
            file, key, f"reading grade {readability.grade(text):.1f} (at most 6)", "Shorter words, shorter sentences", grave=False
        )


def _live_rails(pack: Pack, text: str) -> set[str]:
    """Rails one of whose phrases stands as a clause of its own in `text`: heard back, it would be obeyed."""
    clauses = [clause for clause in re.split(r"[.,:;!?]", _SLOTS.sub(" ", text)) if clause.strip()]
    rails = set(pack.contract.rails)
    found: set[str] = set()
    for clause in clauses:
        found |= set(pack.commands.claims(pack.normalise(clause))) & rails
    return found


def worst(pack: Pack, most: int = 10) -> list[tuple[float, int, str, str]]:
    """The hardest prompts: grade, words, id, text."""
    rows = [
        (readability.grade(text), readability.words(text), name, text)
        for name, prompt in pack.prompts.items()
        for _, text in variants(prompt)
    ]
    return sorted(rows, reverse=True)[:most]


# -- commands ----------------------------------------------------------------------------------------------------------------


def _commands(pack: Pack) -> Iterator[Fault]:
    for phrase, one, other in pack.commands.claimed_twice():
        text = f'"{phrase}" is claimed by {one} and {other}'
        yield Fault(f"{pack.language}/commands.toml", "sentences", text, "Give it to one of them, or settle it by precedence")
