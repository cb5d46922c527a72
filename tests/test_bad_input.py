"""Bad input: one clear sentence, the documented exit code, nothing lost, never a traceback.

What needs a recogniser is in tests/sound.
"""

from __future__ import annotations

import json
import os
import shutil
import signal
import subprocess
import sys
from pathlib import Path

import pytest
from typing_extensions import Self

import voiceguide
from voiceguide.cli import main
from voiceguide.errors import UsageError
from voiceguide.runtime.store import FILE

FULL = Path("/dev/full")  # Linux: every write to it finds the disk full
needs_full = pytest.mark.skipif(not FULL.exists(), reason="this system has no /dev/full")


@pytest.fixture(autouse=True)
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Nothing of this user's is read or written."""
    for name in ("DATA", "CONFIG", "CACHE", "STATE"):
        monkeypatch.setenv(f"XDG_{name}_HOME", str(tmp_path / name.lower()))
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.delenv("VOICEGUIDE_SETTINGS", raising=False)
    return tmp_path


def started(*arguments: str, **how: object) -> subprocess.CompletedProcess[str]:
    """A process of its own, as a user starts it."""
    command = [sys.executable, "-m", "voiceguide", *arguments]
    return subprocess.run(command, text=True, capture_output=True, timeout=60, check=False, **how)  # type: ignore[call-overload, no-any-return]


def one_sentence(text: str) -> bool:
    return len(text.strip().splitlines()) == 1 and text.startswith("voiceguide: ") and "Traceback" not in text


@pytest.mark.parametrize("line", ["1e400\tAna\thi there", "nan\tAna\thi there", "inf\tAna\thi", "9999999:00:00  Ana  hi",
                                  "-3\tAna\thi", "start: yesterday", "0:05  Ana", "0:9x  Ana  hi"])
def test_a_dialogue_that_cannot_be_played_is_refused_by_line(home: Path, capsys: pytest.CaptureFixture[str], line: str) -> None:
    file = home / "evening.dialogue"
    file.write_text(f"# an evening\n{line}\n", "utf-8")
    assert main(["rehearse", str(file)]) == 2
    told = capsys.readouterr().err
    assert one_sentence(told)
    assert "line 2" in told


@pytest.mark.parametrize("name", ["nothere.dialogue", ".", "sound.wav"])
def test_what_is_no_dialogue_is_refused(home: Path, capsys: pytest.CaptureFixture[str], name: str) -> None:
    (home / "sound.wav").write_bytes(b"RIFF\xff\xfe\x80")
    assert main(["rehearse", str(home / name)]) == 2
    assert one_sentence(capsys.readouterr().err)


@pytest.mark.parametrize(("line", "word"), [
    ({"text": "x", "now": "soon"}, "soon"), ({"text": "x", "now": 5}, "5"), ({"text": "x", "expect": "cake"}, "cake"),
    ({"text": "x", "expect": 7}, "7"), ({"text": "nine tomorrow", "now": "9999-12-31T23:59"}, "9999"),
    ({"text": "x", "now": "0001-01-01"}, "0001"),
])
def test_a_line_that_asks_for_what_does_not_exist_is_named_by_its_number(line: dict[str, object], word: str) -> None:
    done = started("understand", "--json", input=f"hello\n{json.dumps(line)}\n")
    assert done.returncode == 2
    assert len(done.stdout.splitlines()) == 1, "what came before is answered"
    assert one_sentence(done.stderr)
    assert "Line 2" in done.stderr
    assert word in done.stderr


def test_a_line_that_only_looks_like_json_is_a_line() -> None:
    lines = ["{", "{}", '{"text": null}', "[1]", '{"text": 5}', "{" * 100_000, "", "null"]
    done = started("understand", "--json", input="\n".join(lines) + "\n")
    assert (done.returncode, done.stderr) == (0, "")
    texts = [json.loads(answer)["text"] for answer in done.stdout.splitlines()]
    assert texts == ["{", "{}", "", "[1]", "5", "{" * 100_000, "", "null"]


@needs_full
@pytest.mark.parametrize("command", ["promises", "export", "check", "models"])
def test_a_full_disk_behind_the_output_is_one_sentence(command: str) -> None:
    with FULL.open("w") as full:
        done = subprocess.run([sys.executable, "-m", "voiceguide", command], stdout=full, stderr=subprocess.PIPE, text=True,
                              timeout=60, check=False)
    assert done.returncode == 2
    assert one_sentence(done.stderr)


@pytest.mark.parametrize("command", ["promises", "understand", "try"])
def test_closed_streams_are_no_trouble(command: str) -> None:
    line = f'"{sys.executable}" -m voiceguide {command} <&- >&-'
    done = subprocess.run(["sh", "-c", line], stderr=subprocess.PIPE, text=True, timeout=60, check=False)
    assert (done.returncode, done.stderr) == (0, "")


def test_an_export_that_fails_leaves_nothing_behind(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    class Full:
        """A file on a disk that is full."""

        def __init__(self, handle: int) -> None:
            self.handle = handle

        def __enter__(self) -> Self:
            return self

        def __exit__(self, *_: object) -> None:
            os.close(self.handle)

        def write(self, text: str) -> int:
            raise OSError(28, "No space left on device", text[:0])

    place = home / "place"
    place.mkdir()
    (place / "all.json").write_text("the older one", "utf-8")
    with monkeypatch.context() as patch:
        patch.setattr(os, "fdopen", lambda handle, *_, **__: Full(handle))
        assert main(["export", str(place / "all.json")]) == 2
    assert [file.name for file in place.iterdir()] == ["all.json"]
    assert (place / "all.json").read_text("utf-8") == "the older one"


@needs_full
def test_a_full_disk_ends_the_trace_with_a_sentence_and_not_the_evening(capsys: pytest.CaptureFixture[str]) -> None:
    from voiceguide.showing import Trace

    trace = Trace(FULL).open(0.0)
    trace.noted(1.0, "listen", "resting")
    trace.noted(2.0, "listen", "resting")
    trace.close()
    assert one_sentence(capsys.readouterr().err)


@pytest.mark.parametrize(("damage", "name"), [
    ("this is = = no toml", "plans/repair.toml"), ('start = "nowhere"', "plans/sort.toml"), ("", "en/pack.toml"),
    ("[repair.here]\ntext = 3", "en/prompts/talks_repair.toml"), ("[intents.pause]\nsentences = ['(a|b']", "en/commands.toml"),
    ("[[[", "contract.toml"),
])
def test_broken_content_is_one_sentence_that_names_the_file(home: Path, damage: str, name: str) -> None:
    """In a copy of the package, as an author might break it."""
    package = Path(voiceguide.__file__).parent
    copy = home / "copy" / "voiceguide"
    shutil.copytree(package, copy, ignore=shutil.ignore_patterns("__pycache__", "examples"))
    (copy.parent / "models").mkdir()
    shutil.copy(package.parent / "models" / "models.toml", copy.parent / "models")
    (copy / "content" / name).write_text(damage, "utf-8")
    dialogue = home / "evening.dialogue"
    dialogue.write_text("0:05  Ana  i need a break\n", "utf-8")
    done = started("rehearse", str(dialogue), cwd=copy.parent, env=os.environ | {"PYTHONPATH": str(copy.parent)})
    assert (done.returncode, one_sentence(done.stderr)) == (4, True), done.stderr
    assert Path(name).name in done.stderr or Path(name).stem in done.stderr, done.stderr


def test_ctrl_c_ends_the_typed_guide_without_a_trace_of_python() -> None:
    running = subprocess.Popen([sys.executable, "-m", "voiceguide", "try"], stdin=subprocess.PIPE, stdout=subprocess.PIPE,
                               stderr=subprocess.PIPE, text=True)
    assert running.stdout is not None
    running.stdout.readline()
    running.send_signal(signal.SIGINT)
    _, told = running.communicate(timeout=30)
    assert running.returncode == 130
    assert "Traceback" not in told


def test_beside_a_running_guide_one_may_look_but_not_erase(home: Path) -> None:
    from voiceguide.runtime.store import SqliteStore

    with SqliteStore(home / FILE):
        assert started("promises", "--data", str(home)).returncode == 0
        done = started("erase", "--yes", "--data", str(home))
        assert (done.returncode, one_sentence(done.stderr)) == (5, True)
    assert (home / FILE).exists()


def test_a_sentence_ends_once() -> None:
    assert str(UsageError("x", "did you mean volume?", hint="Mend it")) == "did you mean volume? Mend it"
    assert str(UsageError("x", "There is none", hint="Mend it")) == "There is none. Mend it"
    assert str(UsageError("x", "There is none")) == "There is none"


def test_no_library_reports_home() -> None:
    """onnxruntime would send its use to its maker, unless this is set before it is loaded (in every process of ours)."""
    done = started("--version", env={**os.environ, "ORT_DISABLE_TELEMETRY": "0"})
    assert done.returncode == 0
    assert os.environ["ORT_DISABLE_TELEMETRY"] == "1"
