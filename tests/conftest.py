"""Options and fixtures for every test."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.ledger import Run
from voiceguide.cli import main


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


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A household's own folders, and the data folder inside it (not made yet)."""
    monkeypatch.setenv("VOICEGUIDE_SETTINGS", str(tmp_path / "settings.toml"))
    monkeypatch.setattr("platformdirs.user_cache_dir", lambda name: str(tmp_path / "cache"))
    return tmp_path / "data"


@pytest.fixture
def run(home: Path, capsys: pytest.CaptureFixture[str]) -> Run:
    def call(*words: str) -> tuple[int, str, str]:
        code = main([*words, "--data", str(home)])
        out, err = capsys.readouterr()
        return code, out, err

    return call
