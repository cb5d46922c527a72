"""Writes requirements-dev.lock: what pip would install for development on each Python given, merged, with markers.

usage: .venv/bin/python scripts/lock.py python3.10 python3.11 python3.12 python3.13
Run it after the dependencies in pyproject.toml change; set-up reads the result as constraints, so it names no registry.
"""

from __future__ import annotations

import json
import subprocess
import sys
import tempfile
from pathlib import Path

HERE = Path(__file__).resolve().parents[1]
HEAD = """# Versions that are known to work together, for development and for scripts/run. Made by scripts/lock.py; do not edit.
"""


def pins(python: str) -> tuple[str, dict[str, str]]:
    """What `python` ("python3.10") would install for voiceguide with all extras: its version "3.10", and name -> version."""
    with tempfile.TemporaryDirectory() as place:
        subprocess.run([python, "-m", "venv", place], check=True)
        pip = [f"{place}/bin/python", "-m", "pip"]
        report = Path(place) / "report.json"
        subprocess.run([*pip, "install", "--quiet", "--dry-run", "--ignore-installed", "--report", str(report),
                        f"{HERE}[dev,piper]"], check=True)
        found = json.loads(report.read_text("utf-8"))
    version = ".".join(found["environment"]["python_version"].split(".")[:2])
    rows = {row["metadata"]["name"].lower().replace("_", "-"): row["metadata"]["version"] for row in found["install"]}
    rows.pop("voiceguide", None)
    return version, rows


def merged(by_python: dict[str, dict[str, str]]) -> list[str]:
    """One line for each name and version, with a marker where not every Python takes it."""
    lines = []
    for name in sorted({name for rows in by_python.values() for name in rows}):
        takers: dict[str, list[str]] = {}
        for python, rows in by_python.items():
            if name in rows:
                takers.setdefault(rows[name], []).append(python)
        for version, pythons in sorted(takers.items()):
            marker = " or ".join(f'python_version == "{python}"' for python in pythons)
            lines.append(f"{name}=={version}" + (f" ; {marker}" if len(pythons) < len(by_python) else ""))
    return lines


if __name__ == "__main__":
    if len(sys.argv) < 2:
        sys.exit(__doc__)
    lock = HERE / "requirements-dev.lock"
    lock.write_text(HEAD + "\n".join(merged(dict(pins(python) for python in sys.argv[1:]))) + "\n", "utf-8")
    print(f"{lock.name}: {len(lock.read_text('utf-8').splitlines()) - 1} pins")
