"""Options and fixtures for every test."""

from __future__ import annotations

import pytest


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption("--accept", action="store_true", help="rewrite the guide's lines in tests/dialogues and tests/words.*.txt")
    parser.addoption("--thorough", action="store_true", help="the crash matrix at every commit, not a sample (minutes)")


@pytest.fixture
def thorough(request: pytest.FixtureRequest) -> bool:
    """Whether to look at everything where a sample is the rule."""
    return bool(request.config.getoption("--thorough"))


@pytest.fixture
def accept(request: pytest.FixtureRequest) -> bool:
    """Whether snapshots are to be rewritten for review."""
    return bool(request.config.getoption("--accept"))
