"""How hard a prompt is to take in: words, and the Flesch-Kincaid grade (Kincaid et al. 1975) of an English sentence."""

from __future__ import annotations

import re

_SLOT = re.compile(r"\{[^{}]*\}")
_SENTENCES = re.compile(r"[.!?:;]+(?:\s|$)")
_WORDS = re.compile(r"[\w']+")
_VOWELS = re.compile(r"[aeiouy]+")
_SILENT = re.compile(r"(?<![aeiouyl])e$|(?<=[aeiouy])[^aeiouy]es$|(?<![td])ed$")


def words(text: str) -> int:
    """How many words are spoken; a slot counts as two."""
    return len(_WORDS.findall(_SLOT.sub("some time", text)))


def grade(text: str) -> float:
    """The school grade that understands `text` when heard. Meaningful for English only."""
    filled = _SLOT.sub("eight", text).lower()
    tokens = _WORDS.findall(filled)
    sentences = max(len([s for s in _SENTENCES.split(filled) if s.strip()]), 1)
    if not tokens:
        return 0.0
    syllables = sum(syllables_of(token) for token in tokens)
    return 0.39 * len(tokens) / sentences + 11.8 * syllables / len(tokens) - 15.59


def syllables_of(word: str) -> int:
    """Syllables of an English word, by its groups of vowels: right within one for everyday words."""
    return max(len(_VOWELS.findall(_SILENT.sub("", word))), 1)
