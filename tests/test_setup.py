"""Setting up: at once when nothing changed, a plain sentence when something cannot be had, never a hand in the user's sound."""

from __future__ import annotations

import importlib.util
import os
import shutil
import subprocess
import sys
from pathlib import Path
from types import ModuleType

import pytest

HERE = Path(__file__).resolve().parents[1]
TOOLS = ("bash", "cat", "cksum", "dirname", "ls", "mv", "uname", "id")


@pytest.fixture
def script() -> ModuleType:
    spec = importlib.util.spec_from_file_location("setup_script", HERE / "scripts" / "_setup.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules[spec.name] = module  # dataclasses look their own module up
    spec.loader.exec_module(module)
    return module


@pytest.fixture
def checkout(tmp_path: Path) -> Path:
    """A folder, with a space in its name, that holds what setting up looks at; its set-up itself only says that it ran."""
    folder = tmp_path / "a checkout"
    (folder / "scripts").mkdir(parents=True)
    (folder / "models").mkdir()
    shutil.copy(HERE / "scripts" / "_setup.sh", folder / "scripts")
    (folder / "scripts" / "_setup.py").write_text(
        "import pathlib, sys\nprint('set up for', sys.argv[1])\n"
        "bin = pathlib.Path(__file__).parents[1] / '.venv' / 'bin'\nbin.mkdir(parents=True, exist_ok=True)\n"
        "(bin / 'python').exists() or (bin / 'python').symlink_to(sys.executable)\n")
    for name in ("pyproject.toml", "requirements-dev.lock", "models/models.toml"):
        (folder / name).write_text(f"# {name}\n")
    return folder


def set_up(checkout: Path, purpose: str = "run", path: str = os.environ["PATH"]) -> subprocess.CompletedProcess[str]:
    environment = {"PATH": path, "VOICEGUIDE_PYTHON": sys.executable if path == os.environ["PATH"] else ""}
    command = f'set -euo pipefail; . "$1/scripts/_setup.sh"; setup {purpose}'
    return subprocess.run(["bash", "-c", command, "bash", str(checkout)], env=environment, capture_output=True, text=True,
                          check=False)


def test_the_second_time_nothing_is_done(checkout: Path) -> None:
    assert set_up(checkout).stdout == "set up for run\n"
    assert set_up(checkout).stdout == ""


def test_what_a_set_up_depends_on_brings_it_back(checkout: Path) -> None:
    for change in ("pyproject.toml", "models/models.toml", "requirements-dev.lock", "scripts/_setup.py"):
        set_up(checkout)
        with (checkout / change).open("a") as file:
            file.write("# changed\n")
        assert set_up(checkout).stdout == "set up for run\n", change
    (checkout / "models" / "a-model").mkdir()
    assert set_up(checkout).stdout == "set up for run\n"


def test_a_checkout_that_moved_is_set_up_anew(checkout: Path) -> None:
    set_up(checkout)
    assert set_up(checkout.rename(checkout.with_name("elsewhere"))).stdout == "set up for run\n"


def test_a_larger_set_up_serves_the_smaller(checkout: Path) -> None:
    assert set_up(checkout, "test").stdout == "set up for test\n"
    for smaller in ("run", "lint", "tools"):
        assert set_up(checkout, smaller).stdout == ""
    (checkout / "models" / "a-model").mkdir()
    set_up(checkout, "run")
    assert set_up(checkout, "test").stdout == "set up for test\n"


def test_what_could_not_be_had_is_tried_again(checkout: Path) -> None:
    set_up(checkout)
    (checkout / ".venv" / ".wanting").touch()
    (checkout / "pyproject.toml").write_text("# new\n")
    for _ in range(2):
        assert set_up(checkout).stdout == "set up for run\n"


def test_without_a_fitting_python_it_is_one_sentence_and_3(checkout: Path, tmp_path: Path) -> None:
    bare = tmp_path / "bin"
    bare.mkdir()
    for tool in TOOLS:
        found = shutil.which(tool)
        assert found
        (bare / tool).symlink_to(found)
    (bare / "python3").write_text("#!/usr/bin/env bash\nexit 1\n")  # an old one
    (bare / "python3").chmod(0o755)
    done = set_up(checkout, path=str(bare))
    assert done.returncode == 3
    assert done.stderr.startswith("voiceguide needs Python 3.10 to 3.13. Install it with: ")


def test_what_may_not_be_installed_is_named_with_its_command(script: ModuleType, monkeypatch: pytest.MonkeyPatch,
                                                             capsys: pytest.CaptureFixture[str]) -> None:
    missing = (script.Library("libportaudio2", "portaudio", "microphone and loudspeaker", lambda: False),
               script.Library("alsa-utils", "", "the voice", lambda: False))
    monkeypatch.setattr(script, "_apt", lambda: None)
    monkeypatch.setattr(script.shutil, "which", lambda name: f"/usr/bin/{name}")
    monkeypatch.setattr(script.platform, "system", lambda: "Linux")
    assert not script._system_libraries(missing)
    assert "sudo apt install libportaudio2 alsa-utils" in capsys.readouterr().err
    monkeypatch.setattr(script.platform, "system", lambda: "Darwin")
    assert not script._system_libraries(missing)
    said = capsys.readouterr().err
    assert "brew install portaudio\n" in said
    assert "alsa-utils" not in said


def test_installing_for_a_test_takes_nothing_of_the_users_sound_away(script: ModuleType, monkeypatch: pytest.MonkeyPatch) -> None:
    ran: list[list[str]] = []
    monkeypatch.setattr(script, "_apt", lambda: ["apt-get"])
    monkeypatch.setattr(script, "_logged", lambda command, *_: bool(ran.append(command)))  # type: ignore[func-returns-value]
    monkeypatch.setattr(script.platform, "system", lambda: "Linux")
    assert not script._system_libraries((script.Library("pulseaudio", "", "tests", lambda: False),))
    assert "--no-remove" in ran[-1]
    assert ran[-1][-1] == "pulseaudio"


def test_nothing_is_installed_where_all_is_there(script: ModuleType) -> None:
    assert script._system_libraries((script.Library("x", "x", "tests", lambda: True),))


def test_without_internet_the_packages_are_one_sentence(script: ModuleType, tmp_path: Path, monkeypatch: pytest.MonkeyPatch,
                                                        capsys: pytest.CaptureFixture[str]) -> None:
    log = tmp_path / "setup.log"
    log.write_text("WARNING: Retrying after NewConnectionError\nERROR: No matching distribution found for numpy\n")
    monkeypatch.setattr(script, "LOG", log)
    monkeypatch.setattr(script, "VENV", tmp_path)
    monkeypatch.setattr(script, "_logged", lambda *_, **__: False)
    assert not script._packages("")
    said = capsys.readouterr().err
    assert "The internet cannot be reached. Connect and start again" in said
