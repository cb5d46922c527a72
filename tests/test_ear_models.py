"""A model folder that cannot serve is one sentence with a hint, before any engine is asked."""

from __future__ import annotations

import sys
from types import SimpleNamespace
from typing import TYPE_CHECKING

import pytest

from voiceguide.adapters import vosk_ear, whisper_ear
from voiceguide.adapters.ears import make_ear
from voiceguide.adapters.vosk_ear import VoskRecogniser
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


class FakeVosk(SimpleNamespace):
    """The engine's module, with a model that knows these words."""

    def __init__(self, *known: str) -> None:
        model = SimpleNamespace(vosk_model_find_word=lambda word: 1 if word in known else -1)
        super().__init__(SetLogLevel=lambda level: None, Model=lambda path: model)


@pytest.mark.parametrize(("known", "words"), [(("break", "later"), ("쉬자", "나중에")), (("쉬자", "나중에"), ("break", "later"))])
def test_a_model_of_another_language_is_one_sentence(
    monkeypatch: pytest.MonkeyPatch, known: tuple[str, ...], words: tuple[str, ...]
) -> None:
    monkeypatch.setitem(sys.modules, "vosk", FakeVosk(*known))
    with pytest.raises(ModelError, match="model-x is of another language") as trouble:
        VoskRecogniser("models/model-x", words)
    assert trouble.value.hint


def test_a_model_of_word_pieces_is_not_foreign_to_its_own_language(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "vosk", FakeVosk("나중", "에", "쉬", "자"))
    VoskRecogniser("models/model-ko", ("나중에", "쉬자"))
