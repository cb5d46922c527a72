"""All detectors of a language behind one call: rules on words and clauses first, then the encoder's heads.

Plugs into `understanding.Detectors`. Loaded once; `examine` is pure and never raises for any text. Without the encoder's
weights the lexical half of the heads serves, without heads the rules serve.
"""

from __future__ import annotations

import importlib.resources
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import numpy as np

from voiceguide.core.events import Cue
from voiceguide.errors import ContentError, ModelError
from voiceguide.language.apology import judge_apology
from voiceguide.language.classifier import Floats, lexical_features, meaning_features
from voiceguide.language.clauses import Lexicon, Utterance
from voiceguide.language.contract import Hoped, contract, read_toml
from voiceguide.language.cues import doubtful_danger, find_cues, wants_pause
from voiceguide.language.encoder import Encoder
from voiceguide.language.heads import Heads
from voiceguide.language.past import is_weapon
from voiceguide.language.promise import judge_promise
from voiceguide.language.reading import Reading
from voiceguide.language.request import judge_request
from voiceguide.language.rules import Rules, compile_rules
from voiceguide.language.safety import is_doubtful, judge_safety
from voiceguide.language.understanding import Found

FILES = ("words", "concepts", "pause", "cues", "apology", "promise", "request", "past", "safety")
ENCODER = "all-minilm-l6-v2"  # the folder below models/
PROBE_NUMBERS = 16
PROBE_TOLERANCE = 1e-3
LONG = 30  # words: what is longer is looked at in windows, because the heads learnt from sentences
WINDOW = 18
MOST_WINDOWS = 12  # 12 windows of 18 words are more than a minute of speech
SURE_ANSWER = 0.5
LEAST_ANSWER = 0.15
LONGEST_ANSWER = 24  # words
_WITHDRAWAL = "withdrawal"
_CURT = 3  # words: "fine" is withdrawal in a quarrel, and an answer where one was asked for


@dataclass(frozen=True)
class Detectors:
    """The detectors of one language. `half` says which heads serve: "full", "lexical", or "rules" where there are none."""

    lexicon: Lexicon = field(repr=False)
    rules: Rules = field(repr=False)
    heads: Heads | None = field(default=None, repr=False)
    encoder: Encoder | None = field(default=None, repr=False)

    @staticmethod
    def load(language: str, models: Path | None = None) -> Detectors:
        """Read rules and heads of `language`; `models` holds the encoder's folder, None leaves it out.

        Never fails for a missing or broken model (see `half`, `trouble`). Raises ContentError for broken rules.
        """
        lexicon, rules, probe = load_rules(language)
        heads = load_heads(language, rules)
        encoder = open_encoder(models, heads, probe)
        return Detectors(lexicon, rules, heads, encoder)

    @property
    def half(self) -> str:
        """Which part serves."""
        if self.heads is None:
            return "rules"
        return "full" if self.encoder is not None else "lexical"

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
        if self.heads is not None:
            lexical = lexical_features(utterance, clauses, found, self.rules.names)
            features = lexical if self.encoder is None else _joined(self.encoder.layers(utterance.spoken), lexical)
        return Reading(utterance, clauses, found, self.heads, "full" if self.encoder is not None else "lexical", features)

    def features(self, utterance: Utterance, layers: Floats | None) -> Floats:
        """What the heads see; `layers` of the encoder, or None for the lexical half."""
        found, clauses = self.rules.match(utterance), self.lexicon.clauses(utterance)
        lexical = lexical_features(utterance, clauses, found, self.rules.names)
        return lexical if layers is None else _joined(layers, lexical)

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
        allowed = {one: p for one, p in likely.items() if one in hoped.intents or one in rails or one == "none"}
        best = max(allowed, key=lambda one: allowed[one], default="none")
        share = allowed.get(best, 0.0) / max(sum(allowed.values()), 1e-9)
        # The share makes the hoped-for answers compete among themselves; the plain probability keeps nonsense out.
        if best == "none" or share < SURE_ANSWER or allowed[best] < LEAST_ANSWER:
            return "", 0.0
        return best, share


def _joined(layers: Floats, lexical: Floats) -> Floats:
    return np.concatenate([meaning_features(layers), lexical])


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


def open_encoder(models: Path | None, heads: Heads | None, probe: str) -> Encoder | None:
    """The encoder, or None where its weights are missing, broken or not those that the heads were trained on."""
    if models is None:
        return None
    try:
        encoder = Encoder(models / ENCODER).open()
    except ModelError:
        return None
    return encoder if heads is None or fits(encoder, heads, probe) else None


def fits(encoder: Encoder, heads: Heads, probe: str) -> bool:
    """Whether the encoder answers the probe sentence as it did at training."""
    if not heads.probe:
        return True
    difference = np.abs(encoder.embed(probe)[: len(heads.probe)] - np.array(heads.probe, dtype=np.float32))
    return bool(difference.max() < PROBE_TOLERANCE)


def _strongest(cues: Sequence[Cue]) -> tuple[Cue, ...]:
    """One cue a kind, the surest first."""
    best: dict[str, Cue] = {}
    for cue in cues:
        kept = best.get(cue.kind)
        best[cue.kind] = cue if kept is None else replace(kept, confidence=max(kept.confidence, cue.confidence))
    return tuple(sorted(best.values(), key=lambda cue: -cue.confidence))
