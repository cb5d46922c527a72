"""The guide: turns what the ear heard into events, saves, and only then speaks.

`utterance -> self-capture gate -> meaning -> session.handle -> store.commit -> perform`. Save first, speak second: what was not
spoken is said again after a crash. Runs on the loop's thread alone; owns no device and no clock.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime, timezone, tzinfo
from typing import Protocol

from typing_extensions import assert_never

from voiceguide.core import offers
from voiceguide.core.effects import Adjust, Chime, Close, Effect, Hush, Listen, Patience, Remember, Say
from voiceguide.core.events import Began, Cue, Event, Failed, Heard, Recovered, SpeechBegan, Spoken
from voiceguide.core.session import Session
from voiceguide.core.snapshot import Snapshot
from voiceguide.errors import StoreError
from voiceguide.language.contract import contract
from voiceguide.language.judgements import Meaning
from voiceguide.runtime.ports import Prosody
from voiceguide.runtime.signs import Signs
from voiceguide.runtime.store import Store
from voiceguide.runtime.timeline import Timeline

_LIKELY = 0.75  # confidence from which a suggested answer is taken without asking again
_LONGEST_ANSWER = 10  # words
_LONGEST_CLOSED = 8  # words: a closed recogniser makes something of anything, and of a long sentence something long
_TOO_SHORT_FOR_A_CUE = 2  # words
_CLOCK_SLACK = 60.0  # seconds by which a machine's clock may run back between two starts without losing our trust


class Mouth(Protocol):
    """Says prompts one after the other. When one has been heard, it posts `Guide.spoken` to the timeline."""

    def say(self, say: Say) -> str:
        """Queue a prompt; returns its text (for captions)."""

    def chime(self, earcon: str) -> None:
        """Queue an earcon."""

    def hush(self) -> None:
        """Silence now; what was queued ends incomplete."""

    def adjust(self, what: str, by: int) -> None:
        """One step of rate or volume."""

    def speaking(self) -> bool:
        """Whether anything is being said now."""

    def playing(self) -> Say | None:
        """The prompt that sounds now."""


class Mind(Protocol):
    """Understands an utterance in the light of what was expected."""

    def __call__(self, text: str, expected: str, now: datetime) -> Meaning:
        """The meaning of `text`; never raises."""


class Observer(Protocol):
    """Is shown what happens: captions, rehearsals, traces. What it is shown, it must not keep."""

    def heard(self, at: float, text: str, meaning: Meaning, state: str) -> None:
        """An utterance was understood."""

    def said(self, at: float, say: Say, text: str, state: str) -> None:
        """A prompt is about to be spoken."""

    def noted(self, at: float, what: str, detail: str) -> None:
        """Anything else: chimes, listening, trouble. Never words."""


@dataclass(slots=True)
class Surroundings:
    """Everything a guide works with. `listen` is told what to hope for; `on_close` when a session ended; `on_lost` once
    when nothing can be kept any longer."""

    session: Session
    mind: Mind
    mouth: Mouth
    store: Store
    timeline: Timeline
    listen: Callable[[str, Patience, bool], None] = lambda expected, patience, patient: None
    on_close: Callable[[], None] = lambda: None
    on_lost: Callable[[StoreError], None] = lambda error: None
    own_words: Callable[[str, Say], bool] = lambda text, say: False
    observers: list[Observer] = field(default_factory=list)
    signs: Signs = field(default_factory=Signs)
    zone: tzinfo = timezone.utc


class Guide:
    """One running guide."""

    def __init__(self, around: Surroundings) -> None:
        self._around = around
        self._expected = ("resting", Patience.CLOSED)
        self._born_under: Say | None = None  # the prompt that sounded when the utterance under way began
        self._unkept: tuple[Remember, ...] = ()  # lines of the ledger that wait for room
        self.lost: StoreError | None = None  # why what was agreed is not kept at present

    # -- what happens to it --------------------------------------------------------------------------------------------

    def begin(self, last_save: float | None = None) -> None:
        """The process is up. `last_save`: wall time of the last commit, to judge whether the clock can be trusted."""
        trusted = last_save is None or self._now() >= last_save - _CLOCK_SLACK
        self.handle(Began(clock_trusted=trusted))

    def speech_began(self) -> None:
        """Somebody began to speak; whether it is our own voice is decided now, not when the recogniser is done."""
        self._born_under = self._around.mouth.playing()
        self.handle(SpeechBegan())

    def utterance(self, text: str, seconds: float = 0.0, closed: str | None = None, prosody: Prosody | None = None) -> None:
        """A finished utterance, as the open recogniser wrote it, as the closed one did (None: nothing it knows), its sound."""
        under, self._born_under = self._born_under, None
        if under is not None and self._around.own_words(text, under):
            self._note("own_voice", "")
            return
        now = self._now()
        expected = self._expected[0]
        text, meaning = self._understand(text, closed, expected, now)
        for observer in self._around.observers:
            observer.heard(now, text, meaning, self.state)
        if under is not None and meaning.intent in ("talk", "none") and self._around.mouth.speaking():
            return  # talk over a prompt is for each other, or a mishearing of us; rails and answers got through
        signs = self._around.signs.of(text, prosody, now, free=meaning.intent == "talk")
        self.handle(heard_from(meaning, text, expected, seconds, signs))

    def _understand(self, text: str, closed: str | None, expected: str, now: float) -> tuple[str, Meaning]:
        return best_reading(self._around.mind, text, closed, expected, datetime.fromtimestamp(now, self._around.zone))

    def spoken(self, number: int, seconds: float, *, complete: bool) -> None:
        """A prompt has ended."""
        self.handle(Spoken(number, seconds, complete))

    def failed(self, part: str, detail: str) -> None:
        """A part is lost for now."""
        self._note(f"{part}_failed", detail)
        self.handle(Failed(part))

    def recovered(self, part: str) -> None:
        """A part works again."""
        self._note(f"{part}_back", "")
        self.handle(Recovered(part))

    def tick(self) -> None:
        """Let clocks that have run out be heard, earliest first."""
        session = self._around.session
        while due := session.due(self._now()):
            self.handle(due[0])

    # -- what it does --------------------------------------------------------------------------------------------------

    @property
    def state(self) -> str:
        """The session's state, by name."""
        return self._around.session.snapshot.state.value

    @property
    def snapshot(self) -> Snapshot:
        """Where the session is."""
        return self._around.session.snapshot

    def next_due(self) -> float | None:
        """When to tick next."""
        return self._around.session.next_due()

    def handle(self, event: Event) -> None:
        """Decide, save, then perform. Where nothing can be saved the talk goes on all the same, and is told of it."""
        session, before = self._around.session, self.lost
        effects = session.handle(event, self._now())
        self._commit(tuple(e for e in effects if isinstance(e, Remember)))
        for effect in effects:
            self._perform(effect)
        if self.lost is not None and before is None:
            self._note("store_failed", self.lost.code)
            self._around.on_lost(self.lost)
            self.handle(Failed("store"))
        elif self.lost is None and before is not None:
            self.recovered("store")

    def _commit(self, remembered: tuple[Remember, ...]) -> None:
        """Save the place and the lines; lines that found no room are saved with the next event that does."""
        self._unkept += remembered
        try:
            self._around.store.commit(self._around.session.snapshot, self._unkept, self._now())
        except StoreError as error:
            self.lost = error
        else:
            self.lost, self._unkept = None, ()

    def _perform(self, effect: Effect) -> None:
        around = self._around
        match effect:
            case Say():
                text = around.mouth.say(effect)
                for observer in around.observers:
                    observer.said(self._now(), effect, text, self.state)
            case Hush():
                around.mouth.hush()
            case Listen():
                self._expected = (effect.expected, effect.patience)
                around.listen(effect.expected, effect.patience, around.session.snapshot.patient)
                self._note("listen", effect.expected)
            case Chime():
                around.mouth.chime(effect.earcon)
                self._note("chime", effect.earcon)
            case Adjust():
                around.mouth.adjust(effect.what, effect.by)
            case Remember():
                self._note("remember", effect.kind)
            case Close():
                self._note("close", "")
                around.on_close()
            case _:
                assert_never(effect)

    def _note(self, what: str, detail: str) -> None:
        for observer in self._around.observers:
            observer.noted(self._now(), what, detail)

    def _now(self) -> float:
        return self._around.timeline.now()


def best_reading(mind: Mind, text: str, closed: str | None, expected: str, moment: datetime) -> tuple[str, Meaning]:
    """What was said and what it means, of the open recogniser's `text` and the closed one's (None: nothing that it knows).

    The closed recogniser hears short answers better, but also hears them in what was never said: it counts only where
    the open one found no meaning and heard about as much, and never where much was said. (voice-stack 2.3)
    """
    meaning = mind(text, expected, moment)
    if closed and closed != text and not _answers(meaning):
        other = mind(closed, expected, moment)
        if _answers(other) and _about_as_long(closed, text):
            return closed, other
    return text, meaning


def _about_as_long(closed: str, heard: str) -> bool:
    """In words, or in letters: models of joined languages (Korean) write the same sound in few or in many pieces."""
    words, letters = len(closed.split()), len(closed.replace(" ", ""))
    near = abs(words - len(heard.split())) <= 1 or abs(letters - len(heard.replace(" ", ""))) <= letters // 4
    return near and words <= _LONGEST_CLOSED


def _too_vague(meaning: Meaning, text: str) -> bool:
    """A suggested answer is taken only when it is likely and short: a whole story is no "yes"."""
    return meaning.confidence < _LIKELY or len(text.split()) > _LONGEST_ANSWER


def _is_free(expected: str) -> bool:
    hoped = contract().expectations.get(expected)
    return hoped is None or hoped.free


def _answers(meaning: Meaning) -> bool:
    return meaning.certain and meaning.intent not in ("talk", "none")


def heard_from(meaning: Meaning, text: str, expected: str, seconds: float, cues: tuple[Cue, ...]) -> Heard:
    """The core's event for an understood utterance: judgements become one slot, safety becomes a cue."""
    slots = dict(meaning.slots)
    if meaning.return_seconds is not None:
        slots["return_seconds"] = meaning.return_seconds
    if judged := judgement(meaning, expected):
        slots["judged"] = judged
    if meaning.past_as_weapon:
        slots["past"] = 1
    # An answer to the guide's own question says nothing about how heated it is, and one or two words too little.
    if _is_free(expected) and len(text.split()) > _TOO_SHORT_FOR_A_CUE:
        cues = (*meaning.cues, *cues)
    # A certain answer is a whole template: what a head sees in "yes please keep it" is not there.
    if meaning.safety and not _answers(meaning):
        cues = (Cue(f"safety.{meaning.safety}", 1.0), *cues)
    intent = meaning.intent
    if not meaning.certain and intent in contract().rails:
        # Only what was said in so many words acts at once; a classifier's suggestion may ask (design 4).
        cues = (*cues, Cue(offers.SUGGESTED, meaning.confidence)) if intent == "pause" else cues
        intent = "talk" if _is_free(expected) else "none"
    elif not meaning.certain and intent not in ("talk", "none") and _too_vague(meaning, text):
        intent = "talk" if _is_free(expected) else "none"
    return Heard(intent, slots, cues, meaning.confidence, seconds, text)


def judgement(meaning: Meaning, expected: str) -> str:
    """What the step's detector found, as a plan names it: `owned`, `hedged.passive`, `ok`, `missing.cue`; "" for none."""
    if expected in ("apology", "say_back", "sorry_now") and meaning.apology is not None:
        hedges = meaning.apology.hedges
        return f"hedged.{hedges[0].kind}" if hedges else ("owned" if meaning.apology.owned else "")
    if expected == "promise" and meaning.promise is not None:
        return f"missing.{meaning.promise.missing[0]}" if meaning.promise.missing else "ok"
    if expected == "request" and meaning.request is not None:
        return f"missing.{meaning.request.missing[0]}" if meaning.request.missing else "ok"
    return ""
