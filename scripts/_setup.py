"""Brings a fresh machine to where voiceguide works: system libraries, environment, packages, models. Standard library only.

Each step names itself, shows how far it is, and when it cannot be done says in one sentence what to do; the next steps go on
wherever they can. Run by scripts/_setup.sh with any Python from 3.10 to 3.13; writes nothing outside the checkout.
"""

from __future__ import annotations

import ctypes.util
import hashlib
import os
import platform
import shutil
import subprocess
import sys
import venv
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

HERE = Path(__file__).resolve().parents[1]
VENV = HERE / ".venv"
PYTHON = VENV / "bin" / "python"
LOG = HERE / ".cache" / "setup.log"
LOCK_FILE = HERE / "requirements-dev.lock"
WANTING = VENV / ".wanting"  # there while something could not be had: then the next start looks again
PACKAGES = 45  # roughly how many there are (60 with those for development), for the progress line only
NO_DEVICE_OR_MODEL = 3


@dataclass(frozen=True)
class Library:
    """A system package by its Debian and its Homebrew name ("" = not needed there), and how to see that it is there."""

    debian: str
    brew: str
    what_for: str
    present: Callable[[], bool]


def _program(*names: str) -> Callable[[], bool]:
    return lambda: all(shutil.which(name) for name in names)


def _library(name: str) -> Callable[[], bool]:
    return lambda: ctypes.util.find_library(name) is not None


def _alsa_speaks_pulse() -> bool:
    return any(Path(root).glob("**/alsa-lib/libasound_module_pcm_pulse.so") for root in ("/usr/lib", "/usr/lib64"))


RUN = (
    Library("libportaudio2", "portaudio", "microphone and loudspeaker", _library("portaudio")),
    Library("espeak-ng", "espeak-ng", "the voice", lambda: _library("espeak-ng")() or _library("espeak")()),
    Library("alsa-utils", "", "the voice", _program("aplay")),
)
TEST = (
    Library("pulseaudio", "", "the virtual sound card of the tests", _program("pulseaudio")),
    Library("pulseaudio-utils", "", "the virtual sound card of the tests", _program("pactl", "paplay", "parec")),
    Library("libasound2-plugins", "", "the virtual sound card of the tests", _alsa_speaks_pulse),
)


def main(purpose: str) -> int:
    """Set up for `purpose`: "tools" (packages only), "lint" (and the developer's), "run" (and libraries, models), "test"."""
    with _alone():
        WANTING.unlink(missing_ok=True)
        wanting = False
        if purpose in ("run", "test"):
            wanting = not _system_libraries(RUN + (TEST if purpose == "test" else ()))
        if not _environment():
            return NO_DEVICE_OR_MODEL
        if not _packages("dev" if purpose in ("test", "lint") else ""):
            return NO_DEVICE_OR_MODEL
        if purpose in ("run", "test"):
            step("models, and their bytes (560 MB to fetch the first time)")
            command = [str(PYTHON), "-m", "voiceguide.fetching", *(["--tests"] if purpose == "test" else [])]
            wanting |= subprocess.run(command, check=False, cwd=HERE).returncode != 0
        if wanting:
            WANTING.touch()
        say("Set-up is done." if not wanting else "Set-up is done as far as possible; the next start tries the rest again.")
    return 0


def say(line: str) -> None:
    """For the person who waits; never on standard output, which belongs to the command itself."""
    print(line, file=sys.stderr, flush=True)


def step(name: str) -> None:
    """Name what happens now."""
    say(f"voiceguide set-up: {name}")


def _system_libraries(libraries: tuple[Library, ...]) -> bool:
    """Install what is missing where that is allowed. True when all is there now."""
    mac = platform.system() == "Darwin"
    missing = [library for library in libraries if (library.brew if mac else library.debian) and not library.present()]
    if not missing:
        return True
    step("system libraries")
    names = " ".join(library.brew if mac else library.debian for library in missing)
    uses = " and ".join(dict.fromkeys(library.what_for for library in missing))
    apt = None if mac else _apt()
    if apt is None:
        manager = "brew install" if mac else "sudo apt install" if shutil.which("apt-get") else "your package manager:"
        say(f"  For {uses}, something is missing that I may not install. Please install it with: {manager} {names}")
        return False
    say(f"  installing {names}")
    # --no-remove: on a desktop with PipeWire nothing of the user's own sound may be taken away for a test.
    install = [*apt, "install", "-y", "-qq", "--no-install-recommends", "--no-remove", *names.split()]
    for command in ([*apt, "update", "-qq"], install):
        _logged(command, {"DEBIAN_FRONTEND": "noninteractive"})
    missing = [library for library in missing if not library.present()]
    if missing:
        names = " ".join(library.debian for library in missing)
        say(f"  {names} could not be installed (see {LOG}). Going on without it. By hand: sudo apt install {names}")
    return not missing


def _apt() -> list[str] | None:
    """The beginning of an apt-get command that will not ask for a password; None when there is none."""
    if shutil.which("apt-get") is None:
        return None
    if os.geteuid() == 0:
        return ["apt-get"]
    if shutil.which("sudo") and subprocess.run(["sudo", "-n", "true"], check=False, capture_output=True).returncode == 0:
        return ["sudo", "-n", "apt-get"]
    return None


def _environment() -> bool:
    """A working .venv. One that is broken, or made for a Python that has gone, is made anew."""
    works = [str(PYTHON), "-c", "import sys, pip; sys.exit(not (3, 10) <= sys.version_info[:2] <= (3, 13))"]
    if PYTHON.exists() and subprocess.run(works, check=False, capture_output=True).returncode == 0:
        return True
    step(f"environment, .venv with Python {platform.python_version()}")
    for attempt in (1, 2):
        try:
            venv.EnvBuilder(clear=True, symlinks=True, with_pip=True).create(VENV)
        except (OSError, subprocess.CalledProcessError):
            # Debian ships venv without its pip in a package of its own.
            package = f"python3.{sys.version_info.minor}-venv"
            apt = _apt()
            if attempt == 2 or apt is None:
                say(f"  The environment could not be made in {VENV}. Free some space, or: sudo apt install {package}")
                return False
            say(f"  installing {package}")
            for command in ([*apt, "update", "-qq"], [*apt, "install", "-y", "-qq", "--no-install-recommends", package]):
                _logged(command, {"DEBIAN_FRONTEND": "noninteractive"})
        else:
            return True
    return False


def _packages(extra: str) -> bool:
    """Install voiceguide and what it needs, at the versions of the lock file; without it where those do not fit."""
    stamps = {name: VENV / f".packages-{name or 'run'}" for name in ("", "dev")}
    asked = hashlib.sha256(b"\0".join([str(HERE).encode(), (HERE / "pyproject.toml").read_bytes(), LOCK_FILE.read_bytes()]))
    done = [name for name, stamp in stamps.items() if stamp.exists() and stamp.read_text("utf-8") == asked.hexdigest()]
    if extra in done or "dev" in done:
        return True
    step("Python packages (about 150 MB to fetch)")
    target = f"{HERE}[{extra}]" if extra else str(HERE)
    pip = [str(PYTHON), "-m", "pip", "install", "--no-input", "--disable-pip-version-check", "--no-cache-dir",
           "--progress-bar", "off", "--retries", "2"]
    locked = [*pip, "--constraint", str(LOCK_FILE), "--editable", target]
    if _logged(locked, on_line=_progress()) or _logged([*pip, "--editable", target], on_line=_progress()):
        stamps[extra].write_text(asked.hexdigest(), "utf-8")
        return True
    lines = LOG.read_text("utf-8", "replace").splitlines() if LOG.exists() else []
    said = next((line for line in reversed(lines) if line.startswith("ERROR")), "")
    offline = any("NewConnectionError" in line or "No matching distribution" in line for line in lines)
    why = "The internet cannot be reached" if offline else f"pip gave up ({said})" if said else "pip gave up"
    say(f"  The packages could not be installed. {why}. Connect and start again; the details are in {LOG}")
    return False


def _progress() -> Callable[[str], None]:
    """A line that counts packages as pip names them: rewritten in place on a terminal, every tenth one elsewhere."""
    seen: set[str] = set()

    def on_line(line: str) -> None:
        word, _, rest = line.strip().partition(" ")
        if word == "Installing" and rest.startswith("collected"):
            say(f"  unpacking {len(seen)} packages")
        if word != "Collecting":
            return
        seen.add(rest.split(" ")[0])
        if sys.stderr.isatty():
            print(f"\r\033[K  {len(seen)} of about {PACKAGES}: {rest.split(' ')[0]}", end="\r", file=sys.stderr, flush=True)
        elif len(seen) % 10 == 0:
            say(f"  {len(seen)} of about {PACKAGES}")

    return on_line


def _logged(command: list[str], extra: dict[str, str] | None = None, on_line: Callable[[str], None] | None = None) -> bool:
    """Run a command with its words in the log, each line also to `on_line`. True when it succeeded."""
    LOG.parent.mkdir(exist_ok=True)
    with LOG.open("a", encoding="utf-8") as log:
        log.write(f"$ {' '.join(command)}\n")
        log.flush()
        try:
            with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, errors="replace",
                                  env=os.environ | (extra or {}) | {"PYTHONUNBUFFERED": "1"}) as running:
                assert running.stdout is not None
                for line in running.stdout:
                    log.write(line)
                    if on_line:
                        on_line(line)
        except OSError as cause:
            log.write(f"ERROR: {cause}\n")
            return False
    return running.returncode == 0


@contextmanager
def _alone() -> Iterator[None]:
    """Two set-ups at once would install into each other's hands: the second waits."""
    import fcntl  # noqa: PLC0415  # Unix only, like these scripts

    LOG.parent.mkdir(exist_ok=True)
    LOG.unlink(missing_ok=True)
    with (LOG.parent / "setup.lock").open("w") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            say("Another set-up is at work here; waiting for it.")
            fcntl.flock(lock, fcntl.LOCK_EX)
        yield


if __name__ == "__main__":
    try:
        sys.exit(main(sys.argv[1]))
    except KeyboardInterrupt:
        say("\nSet-up was interrupted. Start again and it goes on from there.")
        sys.exit(130)
