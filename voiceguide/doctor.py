"""What is wrong with this machine, and how to mend it: the first line of every report of a fault.

Each probe looks at one part and answers in sentences; one that fails never keeps the next from looking. Nothing personal is
in the answers: names of devices and folders, sizes and versions.
"""

from __future__ import annotations

import argparse
import json
import platform
import shutil
import sys
import tempfile
import textwrap
import threading
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass
from datetime import datetime, timezone
from pathlib import Path
from typing import Protocol

from voiceguide import __version__
from voiceguide import settings as chosen
from voiceguide.errors import DeviceError, ModelError, VoiceguideError
from voiceguide.runtime.models import Health, catalogue, choose_ear, inspect
from voiceguide.runtime.ports import Clip, Manner, Playback, Voice
from voiceguide.settings import Settings

PYTHONS = ((3, 10), (3, 13))
ROOM_NEEDED = 20_000_000  # bytes: years of promises, and the cache of rendered prompts
HEARD_WITHIN = 15.0  # seconds for the sentence to be played to its end
BUILT_IN = 2026  # an earlier year is a clock that was never set
SENTENCE = "open.here"  # the prompt that is spoken aloud
WIDTH = 80


@dataclass(frozen=True, slots=True)
class Finding:
    """One answer. `ok` False with `needed` False is a remark: the guide works all the same."""

    part: str
    ok: bool
    text: str
    hint: str = ""
    needed: bool = True


Probe = Callable[[Settings], "list[Finding]"]


class DeviceLike(Protocol):
    """What the doctor reads of a sound device."""

    @property
    def name(self) -> str:
        """The device's name."""

    @property
    def inputs(self) -> int:
        """Channels to hear with."""

    @property
    def outputs(self) -> int:
        """Channels to speak through."""


def report(settings: Settings, probes: Mapping[str, Probe] | None = None, *, aloud: bool = True) -> list[Finding]:
    """Look at every part, in order. With `aloud` False nothing is played. Never raises for trouble that is expected."""
    probes = PROBES if probes is None else probes
    findings: list[Finding] = []
    for part, probe in probes.items():
        if part == "speech" and not aloud:
            continue
        try:
            findings += probe(settings)
        except VoiceguideError as trouble:
            findings.append(Finding(part, ok=False, text=_sentence(trouble.message), hint=trouble.hint))
    return findings


def can_work(findings: Sequence[Finding]) -> bool:
    """Whether everything that is needed was found in order."""
    return all(finding.ok or not finding.needed for finding in findings)


def python(_: Settings) -> list[Finding]:
    """The Python that runs, and the system below it."""
    ok = PYTHONS[0] <= sys.version_info[:2] <= PYTHONS[1]
    text = f"voiceguide {__version__}, Python {platform.python_version()}, {platform.system()} {platform.machine()}."
    return [Finding("python", ok, text, "" if ok else "Python 3.10 to 3.13 is supported; scripts/run finds one")]


def models(_: Settings) -> list[Finding]:
    """Every model that is there, each byte checked."""
    findings = []
    for model in catalogue():
        standing = inspect(model, thorough=True)
        cure = f"scripts/fetch-models {model.name}"
        if standing.health is Health.READY:
            how = "every byte checked" if standing.hashed else "complete, but not checked: nobody pinned its bytes"
            findings.append(Finding("models", ok=True, text=f"{model.name} is there, {how}."))
        elif standing.health is Health.BROKEN:
            text = f"{model.name} is damaged: {standing.fault} is missing or not what was published."
            findings.append(Finding("models", ok=False, text=text, hint=cure))
        elif model.when == "run":
            text = f"{model.name} is not there."
            findings.append(Finding("models", ok=False, text=text, hint=cure, needed=False))
    return findings


def ear(settings: Settings) -> list[Finding]:
    """Which recogniser serves, and why."""
    choice = choose_ear(settings.language, settings.ear)
    return [Finding("ear", ok=True, text=f"{choice.engine} listens: {choice.reason}.")]


def vocabulary(settings: Settings) -> list[Finding]:
    """Words that the guide hopes to hear and the recogniser's model does not know."""
    choice = choose_ear(settings.language, settings.ear)
    if choice.engine != "vosk":
        return []
    from voiceguide.adapters.vosk_ear import missing_words
    from voiceguide.language.pack import Pack

    commands = Pack.load(settings.language).commands
    missing = sorted(missing_words(choice.folder, commands.words(commands.intents())))
    if not missing:
        return [Finding("vocabulary", ok=True, text="The recogniser knows every word of the commands.")]
    text = f"The recogniser does not know {len(missing)} words of the commands: {', '.join(missing)}."
    hint = "nothing to do: sentences with these words are heard by the open recogniser only"
    return [Finding("vocabulary", ok=False, text=text, hint=hint, needed=False)]


def devices(settings: Settings, found: Callable[[], Sequence[DeviceLike]] | None = None) -> list[Finding]:
    """Microphones and loudspeakers by name, and whether the chosen ones are among them."""
    from voiceguide.adapters import sound_devices

    there: Sequence[DeviceLike] = (found or sound_devices.devices)()
    heard = [device.name for device in there if device.inputs]
    spoken = [device.name for device in there if device.outputs]
    return [_among("microphone", heard, settings.microphone), _among("loudspeaker", spoken, settings.loudspeaker)]


def _among(part: str, names: Sequence[str], wanted: str) -> Finding:
    if not names:
        return Finding(part, ok=False, text=f"There is no {part}.", hint=f"plug a {part} in, then: voiceguide doctor")
    if wanted and not any(wanted.casefold() in name.casefold() for name in names):
        text = f"The chosen {part} {wanted} is not there. There are: {', '.join(names)}."
        return Finding(part, ok=False, text=text, hint=f"plug it in, or choose another as {part} in the settings")
    which = f"{wanted} is chosen" if wanted else "the system's choice is used"
    return Finding(part, ok=True, text=f"{len(names)} found, {which}: {', '.join(names)}.")


def folder(settings: Settings) -> list[Finding]:
    """Whether what is agreed can be kept: the folder can be written, and there is room."""
    place = settings.data
    try:
        place.mkdir(parents=True, exist_ok=True)
        with tempfile.NamedTemporaryFile(dir=place) as trial:
            trial.write(b"\0" * 4096)
            trial.flush()
        free = shutil.disk_usage(place).free
    except OSError as cause:
        text = f"{place} cannot be written ({cause.strerror or cause})."
        return [Finding("data folder", ok=False, text=text, hint="free some space, or set data_folder in the settings")]
    room = Finding("disk", free >= ROOM_NEEDED, f"{free / 1e9:.1f} GB are free.", hint="free some space")
    return [Finding("data folder", ok=True, text=f"{place} can be written."), room]


def configuration(_: Settings) -> list[Finding]:
    """Where the settings are read from."""
    file = chosen.settings_file()
    text = f"{file} is read." if file.is_file() else f"There is none at {file}: the defaults count."
    return [Finding("settings", ok=True, text=text)]


CLOCK_SIGNS = ("/dev/rtc0", "/run/systemd/timesync/synchronized", "/run/chrony/chronyd.pid")
"""What shows that a Linux machine keeps the time while it is off, or has been told it: a battery clock, a time service."""


def clock(_: Settings, signs: Sequence[str] = CLOCK_SIGNS) -> list[Finding]:
    """Whether the time of day can be believed: an agreed return depends on it after a restart."""
    now = datetime.now(timezone.utc).astimezone()
    text = f"It is {now:%H:%M} here, {now:%Y-%m-%d} ({now.tzname()})."
    if now.year >= BUILT_IN and (platform.system() != "Linux" or any(Path(sign).exists() for sign in signs)):
        return [Finding("clock", ok=True, text=text)]
    text += " Nothing shows that this clock goes on while the machine is off."
    hint = "connect to a network once after each start; until then the guide asks the time instead of assuming it"
    return [Finding("clock", ok=False, text=text, hint=hint, needed=False)]


def speech(settings: Settings, voice: Voice | None = None, playback: Playback | None = None) -> list[Finding]:
    """Render one sentence and play it."""
    from voiceguide.language.pack import load_prompts

    sentence = load_prompts(settings.language)[SENTENCE].text
    voice = voice or _voice(settings)
    try:
        voice.open()
        manner = Manner(settings.language, settings.voice_id, settings.words_per_minute, settings.volume)
        clip = voice.render(sentence, manner)
    finally:
        voice.close()
    rendered = Finding("voice", ok=True, text=f"{voice.name} made {clip.seconds:.1f} s of speech.")
    return [rendered, _played(clip, playback or _playback(settings))]


def _voice(settings: Settings) -> Voice:
    if settings.voice == "piper":
        from voiceguide.adapters.piper_voice import PiperVoice

        return PiperVoice()
    from voiceguide.adapters.pyttsx3_voice import Pyttsx3Voice

    return Pyttsx3Voice()


def _playback(settings: Settings) -> Playback:
    from voiceguide.adapters.playback import SoundPlayback

    return SoundPlayback(settings.loudspeaker)


def _played(clip: Clip, playback: Playback) -> Finding:
    over = threading.Event()
    heard: list[bool] = []

    def on_end(_: float, complete: bool) -> None:
        heard.append(complete)
        over.set()

    try:
        playback.open()
    except DeviceError as trouble:
        return Finding("speech", ok=False, text=f"It could not be played: {_sentence(trouble.message)}", hint=trouble.hint)
    try:
        playback.play(clip, on_end)
        complete = over.wait(HEARD_WITHIN) and heard[0]
    finally:
        playback.close()
    if complete:
        return Finding("speech", ok=True, text="One sentence was played. If you did not hear it, turn the loudspeaker up.")
    return Finding("speech", ok=False, text="The sentence was not played to its end.", hint="choose another loudspeaker")


PROBES: Mapping[str, Probe] = {
    "python": python, "settings": configuration, "models": models, "ear": ear, "vocabulary": vocabulary, "devices": devices,
    "data folder": folder, "clock": clock, "speech": speech,
}


def doctor_command(args: argparse.Namespace) -> int:
    """`voiceguide doctor [--json] [--quiet]`; reads `args.json`, `args.quiet` (play nothing) and `args.settings` if given.

    Exit code 0 when the guide can work, 3 when not."""
    try:
        settings, trouble = getattr(args, "settings", None) or chosen.load(), None
    except VoiceguideError as broken:  # the doctor must not die of the illness
        settings, trouble = Settings(), Finding("settings", ok=False, text=_sentence(broken.message), hint=broken.hint)
    findings = ([trouble] if trouble else []) + report(settings, aloud=not getattr(args, "quiet", False))
    if getattr(args, "json", False):
        for finding in findings:
            print(json.dumps(asdict(finding), ensure_ascii=False))
    else:
        print(as_text(findings))
    return 0 if can_work(findings) else DeviceError.exit_code


def models_command(args: argparse.Namespace) -> int:
    """`voiceguide models [--json]`: what is installed, checked byte by byte. Exit code 0, or 3 when one is damaged."""
    standings = [inspect(model, thorough=True) for model in catalogue()]
    for standing in standings:
        model = standing.model
        row = {"name": model.name, "use": model.use, "engine": model.engine, "language": model.language,
               "licence": model.licence, "bytes": model.size, "state": standing.health.value, "checked": standing.hashed,
               "folder": str(standing.folder)}
        if getattr(args, "json", False):
            print(json.dumps(row, ensure_ascii=False))
        else:
            state = {Health.READY: "there, " + ("checked" if standing.hashed else "not checked"), Health.MISSING: "not there",
                     Health.BROKEN: f"damaged ({standing.fault})"}[standing.health]
            print(f"{model.name}: {state}; {model.use} for {model.language}, {model.size / 1e6:.0f} MB, {model.licence}")
    return ModelError.exit_code if any(standing.health is Health.BROKEN for standing in standings) else 0


def as_text(findings: Sequence[Finding]) -> str:
    """For eyes and for a screen reader: one finding a paragraph, the verdict word first, 80 columns, no drawing."""
    lines = []
    for finding in findings:
        verdict = "OK" if finding.ok else "WRONG" if finding.needed else "NOTE"
        lines.append(_wrapped(f"{verdict}, {finding.part}: {finding.text}"))
        if finding.hint and not finding.ok:
            lines.append(_wrapped(f"    Do this: {finding.hint}"))
    wrong = sum(not finding.ok and finding.needed for finding in findings)
    lines.append("The guide can work." if not wrong else f"The guide cannot work yet: {wrong} to mend, see WRONG above.")
    return "\n".join(lines)


def _wrapped(text: str) -> str:
    return textwrap.fill(text, WIDTH, subsequent_indent="    ", break_long_words=False, break_on_hyphens=False)


def _sentence(text: str) -> str:
    return text if text.endswith((".", "?", "!")) else f"{text}."
