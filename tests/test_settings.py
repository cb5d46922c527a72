"""The settings file: every default holds, every fault is one sentence with file, key and line, and a save is whole or nothing."""

from __future__ import annotations

from dataclasses import fields
from pathlib import Path

import pytest

from voiceguide.errors import StoreError, UsageError
from voiceguide.settings import Settings, changed, load, save, settings_file


def written(folder: Path, text: str) -> Path:
    file = folder / "settings.toml"
    file.write_text(text, "utf-8")
    return file


def test_without_a_file_everything_has_a_default(tmp_path: Path) -> None:
    assert load(tmp_path / "none.toml") == Settings()


def test_what_is_saved_is_what_is_read(tmp_path: Path) -> None:
    settings = Settings(language="ko", words_per_minute=120, volume=0.5, patient=True, microphone='the "good" one\\',
                        voice_id="한국어", data_folder=str(tmp_path))
    file = tmp_path / "a folder" / "settings.toml"
    save(settings, file)
    assert load(file) == settings
    assert settings.data == tmp_path


def test_only_what_differs_from_the_defaults_is_written(tmp_path: Path) -> None:
    file = tmp_path / "settings.toml"
    save(Settings(patient=True), file)
    assert file.read_text("utf-8") == "patient = true\n"


@pytest.mark.parametrize(("text", "line", "said"), [
    ('language = "en"\nearr = "vosk"\n', "line 2", "did you mean ear?"),
    ('ear = "kaldi"\n', "line 1", "one of auto, vosk, whisper"),
    ("# ours\n\nwords_per_minute = 900\n", "line 3", "between 60 and 400"),
    ('words_per_minute = "fast"\n', "line 1", "a whole number"),
    ("patient = 1\n", "line 1", "true or false"),
    ("volume = true\n", "line 1", "a number"),
    ("[ear]\nname = 'x'\n", "line 1", "text in quotes"),
    ('language = "../../etc"\n', "line 1", "a short code"),
    ('language = "en"\near = \n', "line 2", "cannot be understood"),
    ("ear = vosk", "line 1", "cannot be understood"),
    ('patient = true\near = """vosk', "line 2", "cannot be understood"),
])
def test_a_broken_file_is_one_sentence_with_file_and_line(tmp_path: Path, text: str, line: str, said: str) -> None:
    file = written(tmp_path, text)
    with pytest.raises(UsageError) as fault:
        load(file)
    sentence = str(fault.value)
    assert fault.value.exit_code == 2
    assert str(file) in sentence and line in sentence and said in sentence
    assert "\n" not in sentence


def test_a_file_that_is_not_text_is_one_sentence(tmp_path: Path) -> None:
    file = tmp_path / "settings.toml"
    file.write_bytes(b"\xff\xfe\x00language")
    with pytest.raises(UsageError, match="not text"):
        load(file)


def test_a_byte_order_mark_of_an_editor_is_no_fault(tmp_path: Path) -> None:
    file = tmp_path / "settings.toml"
    file.write_bytes(b"\xef\xbb\xbfpatient = true\r\n")
    assert load(file).patient


def test_a_whole_number_is_a_volume_too(tmp_path: Path) -> None:
    loaded = load(written(tmp_path, "volume = 0\n"))
    assert isinstance(loaded.volume, float)


def test_every_setting_can_be_saved_and_explains_itself(tmp_path: Path) -> None:
    other = {"str": "x", "int": 200, "float": 0.25, "bool": True}
    choices = {"ear": "vosk", "voice": "piper", "sensitivity": "less", "echo": "app", "country": "GB"}
    wanted = {field.name: choices.get(field.name, other[str(field.type)]) for field in fields(Settings)} | {"captions": True}
    settings = changed(Settings(), **wanted)  # type: ignore[arg-type]  # values of every kind
    save(settings, tmp_path / "s.toml")
    assert load(tmp_path / "s.toml") == settings


def test_a_wrong_change_is_refused() -> None:
    with pytest.raises(UsageError, match="one of less, normal, more"):
        changed(Settings(), sensitivity="very")


def test_a_folder_that_cannot_be_written_is_one_sentence(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("in the way")
    with pytest.raises(StoreError, match="cannot be written"):
        save(Settings(patient=True), tmp_path / "file" / "settings.toml")


def test_a_save_that_fails_leaves_the_old_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    file = written(tmp_path, "patient = true\n")
    monkeypatch.setattr("os.fsync", lambda _: (_ for _ in ()).throw(OSError(28, "No space left on device")))
    with pytest.raises(StoreError, match="No space left"):
        save(Settings(captions=True), file)
    assert file.read_text() == "patient = true\n"
    assert [path.name for path in tmp_path.iterdir()] == ["settings.toml"]


def test_the_environment_chooses_the_file() -> None:
    assert settings_file({"VOICEGUIDE_SETTINGS": "/somewhere/s.toml"}) == Path("/somewhere/s.toml")
    assert settings_file({}).name == "settings.toml"
