"""A model folder that cannot serve is one sentence with a hint, before any engine is asked."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from voiceguide.adapters import vosk_ear, whisper_ear
from voiceguide.adapters.ears import make_ear
from voiceguide.errors import ModelError, UsageError

if TYPE_CHECKING:
    from pathlib import Path

VOSK = ("am/final.mdl", "conf/mfcc.conf", "conf/model.conf", "graph/HCLr.fst", "graph/Gr.fst")
WHISPER = ("model.bin", "config.json", "tokenizer.json", "vocabulary.txt")


def unpack(folder: Path, files: tuple[str, ...], size: int = 10) -> Path:
    for name in files:
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_bytes(b"x" * size)
    return folder


@pytest.mark.parametrize("engine", ["vosk", "whisper"])
@pytest.mark.parametrize("kind", ["missing", "empty", "file"])
def test_no_folder_no_ear(tmp_path: Path, engine: str, kind: str) -> None:
    folder = tmp_path / "model"
    if kind == "empty":
        folder.mkdir()
    if kind == "file":
        folder.write_text("a download page")
    with pytest.raises(ModelError) as trouble:
        make_ear(engine, folder).open(lambda _: None)
    assert trouble.value.exit_code == 3
    assert trouble.value.hint
    assert "\n" not in str(trouble.value)


@pytest.mark.parametrize("lacking", VOSK)
def test_a_half_unpacked_vosk_model_names_what_it_lacks(tmp_path: Path, lacking: str) -> None:
    folder = unpack(tmp_path, VOSK)
    vosk_ear.check_folder(folder)
    (folder / lacking).write_bytes(b"")
    with pytest.raises(ModelError) as trouble:
        vosk_ear.check_folder(folder)
    assert trouble.value.code == "model_incomplete"
    assert (lacking if "graph" not in lacking else "graph") in trouble.value.message


@pytest.mark.parametrize("lacking", WHISPER)
def test_a_half_unpacked_whisper_model_names_what_it_lacks(tmp_path: Path, lacking: str) -> None:
    folder = unpack(tmp_path, WHISPER, 2_000_000)
    whisper_ear.check_folder(folder)
    (folder / lacking).unlink()
    with pytest.raises(ModelError, match=lacking):
        whisper_ear.check_folder(folder)


def test_the_beginning_of_a_download_is_no_model(tmp_path: Path) -> None:
    with pytest.raises(ModelError, match="the rest of"):
        whisper_ear.check_folder(unpack(tmp_path, WHISPER, 100))


def test_an_ear_of_another_name_is_a_usage_error(tmp_path: Path) -> None:
    with pytest.raises(UsageError):
        make_ear("conch", tmp_path)
