"""`voiceguide run`: the product. Wires settings, content, store, ear, voice and devices to one guide, and runs it."""

from __future__ import annotations

import argparse
import contextlib
import signal
import sys
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from datetime import datetime, tzinfo
from pathlib import Path

import platformdirs

from voiceguide import settings as settings_module
from voiceguide.assembly import Content
from voiceguide.core.fusion import Fusion
from voiceguide.core.ledger import CHECKIN
from voiceguide.core.session import Session
from voiceguide.core.snapshot import Snapshot
from voiceguide.errors import DeviceError, StoreError, UsageError
from voiceguide.rehearsing import local_zone
from voiceguide.runtime import models
from voiceguide.runtime.guide import Guide, Observer, Surroundings
from voiceguide.runtime.hearing import Hearing
from voiceguide.runtime.local_calendar import LocalCalendar
from voiceguide.runtime.loop import Loop
from voiceguide.runtime.mouth import Sound, SpokenMouth
from voiceguide.runtime.ports import Ear, Manner, Playback, Voice
from voiceguide.runtime.rendering import Renderer
from voiceguide.runtime.room import LiveRoom, Part, RecordedRoom, Tape
from voiceguide.runtime.signs import Signs
from voiceguide.runtime.store import FILE, MemoryStore, NoStore, SqliteStore, Store
from voiceguide.runtime.timeline import RealTimeline, Timeline, VirtualTimeline
from voiceguide.settings import Settings
from voiceguide.showing import Captions, Trace
from voiceguide.whereabouts import country_of

EXAMPLE = Path(__file__).parent / "content" / "examples"
_RATE_STEP = 1.15
_VOLUME_STEP = 0.2
_QUIETEST = 0.2


def run_command(args: argparse.Namespace) -> int:
    """Run the guide as asked. With no microphone and nothing else to hear, play the example and say so."""
    chosen = _settings(args)
    if args.fast and not (args.audio or args.example):
        raise UsageError("fast_needs_audio", "--fast needs a recording", hint="Add --audio FILE, or leave --fast out")
    if args.audio:
        return _recorded(args, chosen, Path(args.audio))
    if args.example:
        return _example(args, chosen)
    try:
        return _live(args, chosen)
    except DeviceError as error:
        if error.code not in ("no_microphone", "no_portaudio"):
            raise
        print(f"voiceguide: {error}", file=sys.stderr)
        print("No microphone can be used here, so this is the recorded example.\n", flush=True)
        return _example(args, chosen)


def _settings(args: argparse.Namespace) -> Settings:
    loaded = settings_module.load()
    wanted = {
        "language": args.language,
        "ear": args.ear,
        "voice": args.voice,
        "captions": args.captions,
        "data_folder": args.data,
    }
    return settings_module.changed(loaded, **{key: value for key, value in wanted.items() if value is not None})


# -- the three ways to run ---------------------------------------------------------------------------------------------------


def _example(args: argparse.Namespace, chosen: Settings) -> int:
    folder = EXAMPLE / chosen.language
    if not folder.is_dir():
        raise UsageError("no_example", f"There is no recorded example in {chosen.language}", hint="Run it with --language en")
    args.fast, args.start = True, "2026-03-10T19:40"
    return _recorded(args, replace(chosen, captions=True), folder, keep=False)


def _recorded(args: argparse.Namespace, chosen: Settings, path: Path, *, keep: bool = True) -> int:
    from voiceguide.adapters.frame_playback import FramePlayback
    from voiceguide.adapters.wavefile import read, read_parts

    parts = [Part(p.samples, p.at, p.after) for p in read_parts(path)] if path.is_dir() else [Part(read(path), at=0.0)]
    zone = local_zone()
    timeline: Timeline = VirtualTimeline(_start(args, zone)) if args.fast else RealTimeline()
    playback = FramePlayback()
    store = _store(chosen) if keep and args.data else contextlib.nullcontext(MemoryStore())
    with store as kept, _engines(chosen, timeline) as engines, _observers(args, chosen, timeline) as observers:
        household = House(chosen, engines, kept, timeline, zone, observers)
        room = RecordedRoom(parts, engines.ear, playback, timeline, fast=args.fast)
        with _tape(args) as tape:
            room.tape = tape
            playback.on_play = room.wake
            person = household.wire(playback)
            room.speaking = lambda: person.mouth.speaking() or not playback.idle
            room.next_due = person.next_due
            loop = Loop(person.guide, timeline)
            room.on_over = loop.stop
            person.begin()
            room.open()
            _run_until_told(loop)
            person.close()
            return _answer(person.guide)


def _live(args: argparse.Namespace, chosen: Settings) -> int:
    from voiceguide.adapters.microphone import SoundMicrophone
    from voiceguide.adapters.playback import SoundPlayback
    from voiceguide.adapters.sound_devices import devices

    timeline = RealTimeline()
    troubles: list[Callable[[str], None]] = []  # the guide, as soon as there is one
    microphone = SoundMicrophone(chosen.microphone)
    playback = SoundPlayback(chosen.loudspeaker, on_trouble=lambda code: timeline.post(lambda: _tell(troubles, code)))
    if not any(device.inputs for device in devices()):  # before anything slow is loaded
        raise DeviceError("no_microphone", "There is no microphone", hint="Plug one in, then: voiceguide doctor")
    with (
        _store(chosen) as store,
        _engines(chosen, timeline) as engines,
        _observers(args, chosen, timeline) as observers,
        _tape(args) as tape,
        contextlib.closing(playback),
    ):
        playback.open()
        household = House(chosen, engines, store, timeline, local_zone(), observers, live=True)
        person = household.wire(playback)
        room = LiveRoom(microphone, playback, engines.ear, timeline, chosen.echo)
        room.tape = tape
        loop = Loop(person.guide, timeline)
        troubles.append(lambda code: _device_trouble(person.guide, code))
        room.open(lambda code: _device_trouble(person.guide, code))
        print('Listening. Say "hey guide", or ask for a pause. Ctrl-C ends.', flush=True)
        person.begin()
        _run_until_told(loop)
        room.close()
        person.close()
        return _answer(person.guide)


def _tell(listeners: list[Callable[[str], None]], code: str) -> None:
    for listener in listeners:
        listener(code)


def _device_trouble(guide: Guide, code: str) -> None:
    """What a device reports: "microphone_lost", "playback_back" and so on."""
    part, _, news = code.partition("_")
    if news == "back":
        guide.recovered(part)
    else:
        guide.failed(part, code)


def _run_until_told(loop: Loop) -> None:
    """Until the loop ends, or Ctrl-C or a polite kill asks for it: both leave by the same door."""
    for name in ("SIGINT", "SIGTERM"):
        with contextlib.suppress(ValueError):  # not on the main thread: whoever runs us there stops us there
            signal.signal(getattr(signal, name), lambda number, frame: loop.stop())
    loop.run()


# -- the parts ---------------------------------------------------------------------------------------------------------------


def _start(args: argparse.Namespace, zone: tzinfo) -> float:
    if not args.start:
        return datetime.now(zone).timestamp()
    try:
        return datetime.fromisoformat(args.start).replace(tzinfo=zone).timestamp()
    except ValueError:
        raise UsageError("bad_start", f"--start {args.start} is no time", hint="Write for example 2026-03-10T19:40") from None


@contextlib.contextmanager
def _store(chosen: Settings) -> Iterator[Store]:
    """What is kept. On a full disk the guide leads all the same; another guide, or a file not ours, keeps it from starting."""
    store = SqliteStore(chosen.data / FILE)
    try:
        store.open()
    except StoreError as error:
        if error.code != "disk_full":
            raise
        yield NoStore(error)
        return
    with contextlib.closing(store):
        yield store


def _tell_lost(error: StoreError) -> None:
    print(f"voiceguide: {error}. The guide goes on, and nothing is kept meanwhile", file=sys.stderr, flush=True)


def _answer(guide: Guide) -> int:
    """How the run ended: as one that could not keep what was agreed, or well."""
    return StoreError.exit_code if guide.lost is not None else 0


@dataclass(frozen=True, slots=True)
class Engines:
    """What takes seconds to get ready."""

    ear: Ear
    hearing: Hearing
    voice: Voice
    content: Content


@contextlib.contextmanager
def _engines(chosen: Settings, timeline: Timeline) -> Iterator[Engines]:
    """Ear, voice and content, got ready side by side: each engine starts in a process of its own."""
    from voiceguide.adapters.ears import make_ear

    choice = models.choose_ear(chosen.language, chosen.ear)
    print(f"Listening with {choice.engine}: {choice.reason}", flush=True)
    ear, voice = make_ear(choice.engine, choice.folder, chosen.language), _voice(chosen)
    hearing = Hearing(ear, timeline)
    with contextlib.ExitStack() as stack, ThreadPoolExecutor(2) as pool:
        stack.callback(ear.close)
        stack.callback(voice.close)
        starting = (pool.submit(hearing.open), pool.submit(voice.open))
        content = Content.load(chosen.language)
        for start in starting:
            start.result()
        yield Engines(ear, hearing, voice, content)


def _voice(chosen: Settings) -> Voice:
    if chosen.voice == "piper":
        from voiceguide.adapters.piper_voice import PiperVoice

        return PiperVoice(models.require("piper-joe"))
    from voiceguide.adapters.pyttsx3_voice import Pyttsx3Voice

    return Pyttsx3Voice()


@contextlib.contextmanager
def _observers(args: argparse.Namespace, chosen: Settings, timeline: Timeline) -> Iterator[list[Observer]]:
    observers: list[Observer] = [Captions()] if chosen.captions else []
    if not args.trace:
        yield observers
        return
    with contextlib.closing(Trace(Path(args.trace)).open(timeline.now())) as trace:
        yield [*observers, trace]


@contextlib.contextmanager
def _tape(args: argparse.Namespace) -> Iterator[Tape | None]:
    if not args.out:
        yield None
        return
    from voiceguide.adapters.recording import Recording

    with Recording(Path(args.out), lambda error: print(f"voiceguide: {error}", file=sys.stderr)) as recording:
        yield recording


@dataclass(slots=True)
class Person:
    """A wired guide."""

    guide: Guide
    mouth: SpokenMouth
    renderer: Renderer
    begin: Callable[[], None]

    def next_due(self) -> float | None:
        """The next clock of what is under way; a follow-up in a week keeps no recording from ending."""
        clocks = self.guide.snapshot.clocks
        return min((clock.due for clock in clocks if not clock.name.startswith(CHECKIN)), default=None)

    def close(self) -> None:
        """End what works in the background."""
        self.renderer.stop()


@dataclass(slots=True)
class House:
    """Everything that does not depend on how we hear and play."""

    chosen: Settings
    engines: Engines
    store: Store
    timeline: Timeline
    zone: tzinfo
    observers: list[Observer]
    live: bool = False

    def wire(self, playback: Playback) -> Person:
        """One guide that speaks through this loudspeaker."""
        from voiceguide.runtime.earcons import earcon

        content, hearing = self.engines.content, self.engines.hearing
        saved = self.store.load()
        sensitivity = Fusion().with_sensitivity(self.chosen.sensitivity).to_plain()
        session = Session(content.plans, saved.snapshot if saved else Snapshot(fusion=sensitivity), LocalCalendar(self.zone))

        def look() -> Snapshot:
            return session.snapshot

        country = country_of(self.chosen)
        manner = Manner(self.chosen.language, self.chosen.voice_id, self.chosen.words_per_minute, self.chosen.volume)
        renderer = Renderer(self.engines.voice, manner, Path(platformdirs.user_cache_dir("voiceguide")) / "prompts")
        phrase = content.phrasing(self.timeline.now, self.zone, country)
        sound = Sound(
            render=lambda text, fixed: renderer.clip(text, keep=fixed),
            earcon=lambda name: earcon(name, renderer.manner.volume),
            adjust=lambda what, by: _adjust(renderer, what, by, stay=self.live),
        )
        mouth = SpokenMouth(phrase, sound, playback, self.timeline)
        guide = Guide(
            Surroundings(
                session=session,
                mind=content.mind(look),
                mouth=mouth,
                store=self.store,
                timeline=self.timeline,
                listen=hearing.expect,
                own_words=content.own_words(phrase),
                observers=self.observers,
                signs=Signs(self.chosen.sensitivity),
                on_lost=_tell_lost,
                zone=self.zone,
            )
        )
        mouth.on_spoken = lambda number, seconds, complete: guide.spoken(number, seconds, complete=complete)
        mouth.on_failed = lambda code: guide.failed("voice", code)
        hearing.attach(guide, mouth, content.expectation(look, patient=self.chosen.patient))
        renderer.prepare(content.fixed_prompts(country))
        return Person(guide, mouth, renderer, lambda: guide.begin(saved.at if saved else None))


def _adjust(renderer: Renderer, what: str, by: int, *, stay: bool) -> None:
    """One step of rate or volume, from now on; `stay`: also for the next evening."""
    manner = renderer.manner
    if what == "rate":
        renderer.manner = replace(manner, words_per_minute=round(min(max(manner.words_per_minute * _RATE_STEP**by, 80), 300)))
    elif what == "volume":
        renderer.manner = replace(manner, volume=min(max(manner.volume + by * _VOLUME_STEP, _QUIETEST), 1.0))
    if stay:
        with contextlib.suppress(StoreError, UsageError):  # it still holds for this evening
            manner = renderer.manner
            kept = settings_module.changed(
                settings_module.load(), words_per_minute=manner.words_per_minute, volume=round(manner.volume, 2)
            )
            settings_module.save(kept)
