"""The doctor: every part looked at whatever the others say, every fault with its cure, in words that read well aloud."""

from __future__ import annotations

import argparse
import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pytest

from voiceguide import doctor
from voiceguide.doctor import Finding, as_text, can_work, doctor_command, models_command, report
from voiceguide.errors import DeviceError, ModelError, VoiceError
from voiceguide.runtime.ports import Clip, Manner, Samples
from voiceguide.settings import Settings


@dataclass(frozen=True)
class FakeDevice:
    name: str
    inputs: int = 0
    outputs: int = 0


class FakeVoice:
    name = "fake"

    def __init__(self, trouble: VoiceError | None = None) -> None:
        self.trouble = trouble
        self.said: list[tuple[str, Manner]] = []
        self.closed = False

    def open(self) -> None:
        """Nothing to start."""

    def render(self, text: str, manner: Manner) -> Clip:
        if self.trouble:
            raise self.trouble
        self.said.append((text, manner))
        return Clip(np.zeros(16_000, np.int16), 16_000)

    def close(self) -> None:
        self.closed = True


class FakePlayback:
    def __init__(self, trouble: DeviceError | None = None, *, complete: bool = True) -> None:
        self.trouble, self.complete = trouble, complete

    def open(self) -> None:
        if self.trouble:
            raise self.trouble

    def play(self, clip: Clip, on_end: Callable[[float, bool], None]) -> None:
        on_end(clip.seconds, self.complete)

    def hush(self) -> None:
        """Never asked."""

    def reference(self, samples: int) -> Samples:
        return np.zeros(samples, np.int16)

    def close(self) -> None:
        """Nothing to stop."""


def fails(_: Settings) -> list[Finding]:
    raise ModelError("model_missing", "the model is not there", hint="fetch it")


def fine(_: Settings) -> list[Finding]:
    return [Finding("b", ok=True, text="All is well.")]


def test_a_probe_that_fails_never_keeps_the_next_from_looking() -> None:
    findings = report(Settings(), {"a": fails, "b": fine})
    assert [(finding.part, finding.ok) for finding in findings] == [("a", False), ("b", True)]
    assert findings[0].hint == "fetch it"


def test_only_what_is_needed_keeps_the_guide_from_working() -> None:
    assert can_work([Finding("a", ok=False, text="x", needed=False)])
    assert not can_work([Finding("a", ok=False, text="x")])


def test_nothing_is_played_when_quiet_is_asked_for() -> None:
    assert report(Settings(), {"speech": fails}, aloud=False) == []


def test_devices_are_named_and_a_missing_one_has_its_cure() -> None:
    none = doctor.devices(Settings(), list)
    assert [finding.part for finding in none] == ["microphone", "loudspeaker"]
    assert not any(finding.ok for finding in none)
    assert all(finding.hint for finding in none)
    some = [FakeDevice("USB Kitchen", inputs=1), FakeDevice("Speakers", outputs=2)]
    assert all(finding.ok for finding in doctor.devices(Settings(microphone="kitchen"), lambda: some))
    wrong = doctor.devices(Settings(loudspeaker="Bedroom"), lambda: some)[1]
    assert not wrong.ok
    assert "Speakers" in wrong.text


def test_the_sentence_is_spoken_as_the_household_chose() -> None:
    voice = FakeVoice()
    findings = doctor.speech(Settings(words_per_minute=110), voice, FakePlayback())
    assert all(finding.ok for finding in findings)
    assert voice.said[0][1].words_per_minute == 110
    assert voice.closed


def test_a_voice_that_fails_is_closed_and_reported() -> None:
    voice = FakeVoice(VoiceError("no_voice", "there is no voice", hint="install espeak-ng"))
    findings = report(Settings(), {"speech": lambda settings: doctor.speech(settings, voice, FakePlayback())})
    assert findings == [Finding("speech", ok=False, text="there is no voice.", hint="install espeak-ng")]
    assert voice.closed


def test_without_a_loudspeaker_the_voice_is_still_examined() -> None:
    trouble = DeviceError("no_loudspeaker", "There is no loudspeaker", hint="plug one in")
    voice, spoken = doctor.speech(Settings(), FakeVoice(), FakePlayback(trouble))
    assert voice.ok
    assert not spoken.ok
    assert not doctor.speech(Settings(), FakeVoice(), FakePlayback(complete=False))[1].ok


def test_a_folder_that_cannot_be_written_is_named_with_its_cure(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    bad = doctor.folder(Settings(data_folder=str(tmp_path / "file" / "inside")))[0]
    assert not bad.ok
    assert "data_folder" in bad.hint
    assert all(finding.ok for finding in doctor.folder(Settings(data_folder=str(tmp_path / "new"))))
    assert list((tmp_path / "new").iterdir()) == []


def test_a_clock_without_a_battery_is_a_remark_and_no_obstacle(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("platform.system", lambda: "Linux")
    assert doctor.clock(Settings(), (str(tmp_path),))[0].ok
    without = doctor.clock(Settings(), (str(tmp_path / "none"),))
    assert not without[0].ok
    assert can_work(without)


def test_missing_models_are_remarks_and_no_ear_is_a_fault(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("VOICEGUIDE_MODELS", str(tmp_path))
    findings = report(Settings(), {"models": doctor.models, "ear": doctor.ear})
    assert can_work([finding for finding in findings if finding.part == "models"])
    assert not can_work(findings)
    assert "scripts/fetch-models" in findings[-1].hint


def test_the_text_fits_80_columns_and_leads_with_the_verdict() -> None:
    long = Finding("models", ok=False, text="word " * 40, hint="do " * 40)
    text = as_text([Finding("a", ok=True, text="Fine."), long, Finding("b", ok=False, text="Odd.", hint="x", needed=False)])
    assert all(len(line) <= 80 for line in text.splitlines())
    assert [line.split(",")[0] for line in text.splitlines() if not line.startswith(" ")][:3] == ["OK", "WRONG", "NOTE"]
    assert text.isascii()


def only(probes: Mapping[str, doctor.Probe], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(doctor, "PROBES", probes)


def test_the_command_prints_one_object_a_line_and_answers_3(monkeypatch: pytest.MonkeyPatch,
                                                            capsys: pytest.CaptureFixture[str]) -> None:
    only({"a": fails, "b": fine}, monkeypatch)
    assert doctor_command(argparse.Namespace(json=True, settings=Settings())) == 3
    rows = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    assert [row["part"] for row in rows] == ["a", "b"]
    assert set(rows[0]) == {"part", "ok", "text", "hint", "needed"}
    only({"b": fine}, monkeypatch)
    assert doctor_command(argparse.Namespace(json=False, settings=Settings())) == 0
    assert "The guide can work." in capsys.readouterr().out


def test_a_broken_settings_file_is_a_finding_and_the_rest_is_looked_at(tmp_path: Path, monkeypatch: pytest.MonkeyPatch,
                                                                       capsys: pytest.CaptureFixture[str]) -> None:
    file = tmp_path / "settings.toml"
    file.write_text("ear = 'none'\n")
    monkeypatch.setenv("VOICEGUIDE_SETTINGS", str(file))
    only({"b": fine}, monkeypatch)
    assert doctor_command(argparse.Namespace()) == 3
    said = " ".join(capsys.readouterr().out.split())
    assert "line 1" in said
    assert "OK, b" in said


def test_the_models_command_names_each_model_and_its_state(tmp_path: Path, monkeypatch: pytest.MonkeyPatch,
                                                           capsys: pytest.CaptureFixture[str]) -> None:
    monkeypatch.setenv("VOICEGUIDE_MODELS", str(tmp_path))
    assert models_command(argparse.Namespace(json=True)) == 0
    rows = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    assert {row["state"] for row in rows} == {"missing"}
    (tmp_path / "whisper-tiny.en").mkdir()
    assert models_command(argparse.Namespace(json=False)) == 3
    assert "whisper-tiny.en: damaged" in capsys.readouterr().out
