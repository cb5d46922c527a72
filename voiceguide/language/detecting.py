"""All detectors of a language behind one call: rules on words and clauses first, then the encoder's heads.

Plugs into `understanding.Detectors`. Loaded once; `examine` is pure and never raises for any text. Without the encoder or
the heads the rules serve alone: heads that see words only hear contempt in a "thank you".
"""

from __future__ import annotations

import importlib.resources
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np

from voiceguide.core.events import Cue
from voiceguide.errors import ContentError, ModelError
from voiceguide.language.apology import judge_apology
from voiceguide.language.classifier import lexical_features, meaning_features
from voiceguide.language.clauses import Clause, Lexicon, Utterance
from voiceguide.language.contract import Hoped, contract, read_toml
from voiceguide.language.cues import doubtful_danger, find_cues, wants_pause
from voiceguide.language.encoder import Encoder, Floats
from voiceguide.language.heads import Heads
from voiceguide.language.past import is_weapon
from voiceguide.language.promise import judge_promise
from voiceguide.language.reading import Reading
from voiceguide.language.request import judge_request
from voiceguide.language.rules import Rules, compile_rules
from voiceguide.language.safety import is_doubtful, judge_safety
from voiceguide.language.understanding import Found

FILES = ("words", "concepts", "pause", "cues", "apology", "promise", "request", "past", "safety")
PROBE_NUMBERS = 16
PROBE_TOLERANCE = 1e-2  # processors differ in the last digits, another model in the first
LONG = 30  # words: what is longer is looked at in windows, because the heads learnt from sentences
WINDOW = 18
MOST_WINDOWS = 12  # 12 windows of 18 words are more than a minute of speech
SURE_ANSWER = 0.4  # five-fold: for one answer taken wrongly from here to 0.5, two and a half need not be asked again
LEAST_ANSWER = 0.1
LONGEST_ANSWER = 24  # words
ASIDE = 0.6  # "yeah go on then" to a question is a yes: a rail must be likelier than an answer that was hoped for
_WITHDRAWAL = "withdrawal"
_CURT = 3  # words: "fine" is withdrawal in a quarrel, and an answer where one was asked for


@dataclass(frozen=True)
class Detectors:
    """The detectors of one language. `heads` and `encoder` come together, or rules serve alone."""

    lexicon: Lexicon = field(repr=False)
    rules: Rules = field(repr=False)
    heads: Heads | None = field(default=None, repr=False)
    encoder: Encoder | None = field(default=None, repr=False)

    @staticmethod
    def load(language: str, encoder: Encoder | None = None) -> Detectors:
        """Read the rules of `language` and, with an `encoder`, the heads. An encoder that the heads do not know is left out.

        Raises ContentError for broken rules; never fails for broken heads.
        """
        lexicon, rules, probe = load_rules(language)
        heads = load_heads(language, rules) if encoder is not None else None
        if encoder is None or heads is None or not fits(encoder, heads, probe):
            return Detectors(lexicon, rules)
        return Detectors(lexicon, rules, heads, encoder)

    def examine(self, text: str, normal: str, hoped: Hoped | None, topic: Sequence[str] = ()) -> Found:  # noqa: ARG002
        """Everything found in `text`; `normal` is not needed. `topic`: words of the wrong that this talk is about."""
        whole = self.read(text)
        if not whole.utterance.words:
            return Found()
        parts = self._windows(whole)
        kind, risk = max((judge_safety(part) for part in parts), key=lambda found: (bool(found[0]), found[1]))
        cues = _strongest([cue for part in parts for cue in find_cues(part)])
        if hoped is not None and not hoped.free and len(whole.utterance.words) <= _CURT:
            cues = tuple(cue for cue in cues if cue.kind != _WITHDRAWAL)
        if not kind and any(is_doubtful(part, judge_safety(part)[1]) for part in parts):
            cues = _strongest([*cues, doubtful_danger(risk)])
        wish = max(wants_pause(part) for part in parts)
        suggestion, sure = ("pause", wish) if wish else self._answer(whole, hoped)
        judge = hoped.judge if hoped is not None else ""
        return Found(
            cues=cues,
            apology=judge_apology(whole) if judge == "apology" else None,
            promise=judge_promise(whole) if judge == "promise" else None,
            request=judge_request(whole) if judge == "request" else None,
            past_as_weapon=is_weapon(whole, topic),
            safety=kind,
            suggestion=suggestion,
            confidence=sure,
        )

    def read(self, text: str) -> Reading:
        """The utterance with its rules and features, ready to be asked."""
        return self._reading(self.lexicon.read(text))

    def _reading(self, utterance: Utterance) -> Reading:
        clauses = self.lexicon.clauses(utterance)
        found = self.rules.match(utterance)
        features = None
        if self.heads is not None and self.encoder is not None:
            meaning = meaning_features(self.encoder.layers(utterance.spoken), self.heads.centre)
            features = self._seen(utterance, clauses, found, meaning)
        return Reading(utterance, clauses, found, self.heads, features)

    def features(self, utterance: Utterance, meaning: Floats) -> Floats:
        """What the heads see; `meaning` from `meaning_features`."""
        return self._seen(utterance, self.lexicon.clauses(utterance), self.rules.match(utterance), meaning)

    def _seen(self, utterance: Utterance, clauses: tuple[Clause, ...], found: Mapping[str, object], meaning: Floats) -> Floats:
        return np.concatenate([meaning, lexical_features(utterance, clauses, found, self.rules.names)])

    def _windows(self, whole: Reading) -> list[Reading]:
        """A long turn in overlapping pieces, so that one sentence in it is not drowned by the rest."""
        tokens = whole.utterance.tokens[1:-1]
        if len(whole.utterance.words) <= LONG:
            return [whole]
        step = max(WINDOW * 2 // 3, -(-len(tokens) // MOST_WINDOWS))
        size = max(WINDOW, step * 3 // 2)
        return [self._reading(whole.utterance.part(begin, begin + size)) for begin in range(1, len(tokens), step)]

    def _answer(self, reading: Reading, hoped: Hoped | None) -> tuple[str, float]:
        """The likeliest of the answers hoped for, among them and nothing; ("", 0) where people just talk."""
        if hoped is None or hoped.free or len(reading.utterance.words) > LONGEST_ANSWER:
            return "", 0.0
        likely = reading.ask("answer")
        rails = contract().rails
        allowed = {one: p if one in hoped.intents or one == "none" else p * ASIDE
                   for one, p in likely.items() if one in hoped.intents or one in rails or one == "none"}
        best = max(allowed, key=lambda one: allowed[one], default="none")
        share = allowed.get(best, 0.0) / max(sum(allowed.values()), 1e-9)
        # The share makes the hoped-for answers compete among themselves; the plain probability keeps nonsense out.
        if best == "none" or share < SURE_ANSWER or allowed[best] < LEAST_ANSWER:
            return "", 0.0
        return best, share


def load_rules(language: str) -> tuple[Lexicon, Rules, str]:
    """Lexicon, rules and probe sentence from `content/<language>/detectors/`. Raises ContentError naming the key."""
    tables: dict[str, Mapping[str, Any]] = {name: read_toml(f"{language}/detectors", f"{name}.toml") for name in FILES}
    try:
        lexicon = Lexicon.parse(tables["words"])
        return lexicon, compile_rules(tables, lexicon), str(tables["words"].get("probe", ""))
    except ValueError as problem:
        raise ContentError("broken_content", f"content/{language}/detectors: {problem}",
                           hint="then run: voiceguide check") from None


def load_heads(language: str, rules: Rules) -> Heads | None:
    """The trained heads, or None where they are missing or broken."""
    folder = importlib.resources.files("voiceguide") / "content" / language / "heads"
    try:
        with importlib.resources.as_file(folder) as path:
            return Heads.load(path, rules.names)
    except (ModelError, FileNotFoundError):
        return None


def fits(encoder: Encoder, heads: Heads, probe: str) -> bool:
    """Whether the encoder answers the probe sentence as it did at training."""
    if not heads.probe:
        return True
    difference = np.abs(encoder.layers(probe)[-1][: len(heads.probe)] - np.array(heads.probe, dtype=np.float32))
    return bool(difference.max() < PROBE_TOLERANCE)


def _strongest(cues: Sequence[Cue]) -> tuple[Cue, ...]:
    """One cue a kind, the surest first."""
    best: dict[str, Cue] = {}
    for cue in cues:
        kept = best.get(cue.kind)
        best[cue.kind] = cue if kept is None else replace(kept, confidence=max(kept.confidence, cue.confidence))
    return tuple(sorted(best.values(), key=lambda cue: -cue.confidence))
