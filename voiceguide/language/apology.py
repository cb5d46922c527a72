"""Was it owned? Ten kinds of hedge (domain 4.2, 4.6), where they stand, and which parts of an apology were there (4.1).

A clean apology is hardly ever sent back (issue 3: at most 5 of 100): the threshold leans that way. The kind `intention` is
reported like the others; whether an explanation is welcome by now, the plan knows.
"""

from __future__ import annotations

from voiceguide.language.judgements import Apology, Hedge
from voiceguide.language.reading import Reading

OWNED = "owned"
KINDS = ("conditional", "feelings", "but", "passive", "blame", "minimising", "impatient", "vague", "self_pity", "intention")
COMPONENTS = ("deed", "responsibility", "impact", "repair")
SURE_OWNED = 0.4  # from here on it is accepted; training replaces it by what the development part says
ALSO = 0.25  # a second hedge is worth naming from this probability
# Without heads: kinds whose phrases are hardly ever found in a clean apology.
_PLAIN = ("conditional", "feelings", "but", "passive", "minimising", "impatient", "vague", "self_pity", "blame", "intention")


def judge_apology(reading: Reading) -> Apology:
    """`owned`, or the hedges with the likeliest first; each with the characters that show it."""
    spans = reading.rules("apology")
    components = tuple(kind for kind in COMPONENTS if kind in spans)
    likely = reading.ask("apology")
    if not likely:
        hedges = tuple(Hedge(kind, spans[kind]) for kind in _PLAIN if kind in spans)
        return Apology(not hedges and "deed" in spans, hedges, components)
    if likely[OWNED] >= reading.threshold("apology", OWNED, SURE_OWNED):
        return Apology(owned=True, components=components)
    kinds = sorted((kind for kind in KINDS if kind in likely), key=lambda kind: -likely[kind])
    named = [kind for place, kind in enumerate(kinds) if place == 0 or (kind in spans and likely[kind] >= ALSO)]
    return Apology(False, tuple(Hedge(kind, spans.get(kind) or _somewhere(reading)) for kind in named), components)


def _somewhere(reading: Reading) -> tuple[int, int]:
    """No phrase shows it: the clause after the apology proper, else all of it."""
    tokens = reading.utterance.tokens
    for clause in reading.clauses[1:]:
        if clause.subject != "i":
            return tokens[clause.begin].start, tokens[clause.end - 1].end
    said = [token for token in tokens if token.end > token.start]
    return (said[0].start, said[-1].end) if said else (0, 0)
