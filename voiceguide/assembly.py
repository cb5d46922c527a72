"""Content put together: plans, understanding, wording and detectors of one language, ready to be wired to a session."""

from __future__ import annotations

import functools
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, tzinfo

from voiceguide.adapters.mpnet import ENCODER, MpnetEncoder
from voiceguide.core.effects import Patience, Say
from voiceguide.core.plan import Plans
from voiceguide.core.snapshot import Snapshot
from voiceguide.errors import ModelError
from voiceguide.language.detecting import Detectors
from voiceguide.language.encoder import Encoder
from voiceguide.language.helplines import slots_for
from voiceguide.language.judgements import Meaning
from voiceguide.language.pack import Pack
from voiceguide.language.plans import CONTENT, load_plans, spoken_plans
from voiceguide.language.understanding import Understanding
from voiceguide.language.wording import Sentence, Wording
from voiceguide.runtime.guide import Mind
from voiceguide.runtime.models import models_folder
from voiceguide.runtime.mouth import Phrase
from voiceguide.runtime.ports import Expectation

Look = Callable[[], Snapshot]
_TELLTALE = 3  # words: an echo of ours is at least this long, or it is a phrase that the prompt taught


@dataclass(frozen=True, slots=True)
class Content:
    """One language's content. Everything it gives is a function of what it is told; it holds no session."""

    pack: Pack
    plans: Plans
    understanding: Understanding

    @staticmethod
    def load(language: str, *, encoder: bool = True) -> Content:
        """Read plans, pack and detectors; `encoder` False leaves the sentence encoder out (quick, a little less sure).

        Raises ContentError."""
        return _load(language, encoder=encoder)

    def mind(self, look: Look) -> Mind:
        """Understands in the light of what the household agreed on: names and phrase."""

        def understand(text: str, expected: str, now: datetime) -> Meaning:
            household = look().household
            return self.understanding.understand(text, expected, now, household.names, household.phrase)

        return understand

    def phrasing(self, now: Callable[[], float], zone: tzinfo, country: str = "") -> Phrase:
        """Words for a Say, at the present moment in `zone`, with the help lines of `country` ("" = neutral words)."""
        wording = Wording(self.pack, zone, slots_for(country, self.pack.language))

        def phrase(say: Say) -> Sentence:
            return wording.say(say.prompt, say.slots, say.wording, now())

        return phrase

    def expectation(self, look: Look, *, patient: bool) -> Callable[[str, Patience, bool], Expectation]:
        """What the ear should hope for. `patient`: the setting; the session's own wish is added."""

        def expect(expected: str, patience: Patience, wished: bool) -> Expectation:
            known = self.understanding.expectation(expected, look().household.names)
            slow = patient or wished
            return Expectation(expected, known.phrases, known.pattern, known.words, patience, slow)

        return expect

    def own_words(self, phrase: Phrase) -> Callable[[str, Say], bool]:
        """Whether a transcript that began under a prompt is that prompt: a run of its words, or a phrase it teaches."""

        def ours(text: str, say: Say) -> bool:
            heard = self.pack.normalise(text).split()
            said = self.pack.normalise(phrase(say).text).split()
            if not heard or not _within(heard, said):
                return False
            taught = self.pack.prompts[say.prompt].names if say.prompt in self.pack.prompts else ()
            return len(heard) >= _TELLTALE or self._claimed(text) in taught

        return ours

    def _claimed(self, text: str) -> str:
        return self.understanding.understand(text, None, datetime(2000, 1, 1)).intent  # noqa: DTZ001 - no time is asked for

    def fixed_prompts(self, country: str = "") -> list[str]:
        """Every text that never changes: to be rendered ahead."""
        wording = Wording(self.pack, values=slots_for(country, self.pack.language))
        return [sentence.text for sentence in wording.fixed_sentences()]


def _within(part: list[str], whole: list[str]) -> bool:
    return any(whole[at : at + len(part)] == part for at in range(len(whole) - len(part) + 1))


def open_encoder() -> Encoder | None:
    """The sentence encoder, or None where its weights are missing or broken: `doctor` tells which."""
    try:
        return MpnetEncoder(models_folder() / ENCODER).open()
    except ModelError:
        return None


@functools.lru_cache(maxsize=4)
def _load(language: str, *, encoder: bool) -> Content:
    pack = Pack.load(language)
    judged = (CONTENT / language / "detectors").is_dir()
    detectors = Detectors.load(language, open_encoder() if encoder else None) if judged else None
    return Content(pack, spoken_plans(load_plans(), pack.prompts), Understanding(pack, detectors))
