"""Fixed prompts are rendered before they are needed; words that somebody dictated never touch the disk.

A broken, full or forbidden cache costs milliseconds, never a sentence: everything can be rendered again.
"""

from __future__ import annotations

import contextlib
import hashlib
import logging
import os
import struct
import tempfile
import threading
import time
import zlib
from collections import OrderedDict
from collections.abc import Iterable, Iterator
from pathlib import Path

import numpy as np

from voiceguide.errors import VoiceError
from voiceguide.runtime.ports import Clip, Manner, Voice
from voiceguide.runtime.shaping import joined, sentences

SHAPE = 2  # grows when shaping changes what is heard: older files are then not found any more
MOST_BYTES = 200_000_000  # on disk; the oldest go first
IN_MEMORY = 64  # fixed sentences kept ready, so that a machine without a usable disk is as quick
_MAGIC = b"vgclip01"
_HEADER = struct.Struct("<8sIII")  # magic, rate, samples, checksum

_log = logging.getLogger(__name__)


class Renderer:
    """Turns texts into clips with one voice. `clip` may be called from any thread while `prepare` works."""

    def __init__(self, voice: Voice, manner: Manner, cache_dir: Path | None) -> None:
        """`cache_dir` is made when first needed; None keeps nothing on disk."""
        self.manner = manner
        self._voice, self._cache = voice, None if cache_dir is None else _Cache(cache_dir)
        self._ready: OrderedDict[str, Clip] = OrderedDict()
        self._lock = threading.Lock()
        self._asking = 0
        self._free = threading.Condition()
        self._ending = threading.Event()
        self._thread: threading.Thread | None = None

    def clip(self, text: str, *, keep: bool) -> Clip:
        """One prompt, sentences 0.3 s apart. `keep`: the text is fixed and may be cached on disk. Raises VoiceError."""
        return joined(list(self.pieces(text, keep=keep)))

    def pieces(self, text: str, *, keep: bool) -> Iterator[Clip]:
        """The same sentence by sentence: the first can be played while the second is rendered. Raises VoiceError."""
        for sentence in sentences(text):
            with self._asked():
                yield self._sentence(sentence, self.manner, keep=keep)

    def prepare(self, texts: Iterable[str]) -> None:
        """Render fixed prompts in the background, one sentence at a time, giving way to `clip`. A new list replaces the old."""
        self.stop()
        self._ending.clear()
        wanted = list(dict.fromkeys(sentence for text in texts for sentence in sentences(text)))
        self._thread = threading.Thread(target=self._prepare, args=(wanted, self.manner), name="rendering", daemon=True)
        self._thread.start()

    def wait(self, seconds: float) -> bool:
        """Wait for the background to finish; False when it has not."""
        thread = self._thread
        if thread is None:
            return True
        thread.join(seconds)
        return not thread.is_alive()

    def stop(self) -> None:
        """End the background after the sentence under way; safe to call twice."""
        self._ending.set()
        with self._free:
            self._free.notify_all()
        thread, self._thread = self._thread, None
        if thread is not None:
            thread.join(10.0)

    @contextlib.contextmanager
    def _asked(self) -> Iterator[None]:
        with self._free:
            self._asking += 1
        try:
            yield
        finally:
            with self._free:
                self._asking -= 1
                self._free.notify_all()

    def _prepare(self, wanted: list[str], manner: Manner) -> None:
        for sentence in wanted:
            with self._free:
                self._free.wait_for(lambda: self._asking == 0 or self._ending.is_set())
            if self._ending.is_set():
                return
            if self._cache is not None and self._cache.has(self._key(sentence, manner)):
                continue
            began = time.perf_counter()
            try:
                self._sentence(sentence, manner, keep=True)
            except VoiceError as trouble:
                _log.warning("rendering ahead ended: %s", trouble.code)
                return
            self._ending.wait(time.perf_counter() - began)  # at most half of a core: listening comes first
        if self._cache is not None:
            self._cache.prune()

    def _sentence(self, sentence: str, manner: Manner, *, keep: bool) -> Clip:
        if not keep:
            return self._voice.render(sentence, manner)
        key = self._key(sentence, manner)
        clip = self._recall(key)
        if clip is None:
            clip = self._voice.render(sentence, manner)
            if not clip.lasting:
                return clip
            if self._cache is not None:
                self._cache.write(key, clip)
        with self._lock:
            self._ready[key] = clip
            self._ready.move_to_end(key)
            while len(self._ready) > IN_MEMORY:
                self._ready.popitem(last=False)
        return clip

    def _recall(self, key: str) -> Clip | None:
        with self._lock:
            clip = self._ready.get(key)
        return clip if clip is not None or self._cache is None else self._cache.read(key)

    def _key(self, sentence: str, manner: Manner) -> str:
        """Only fixed sentences get here: their hash says nothing about the couple."""
        parts = (str(SHAPE), self._voice.name, manner.language, manner.voice, str(manner.words_per_minute))
        whole = "\0".join((*parts, f"{manner.volume:.3f}", sentence))
        return hashlib.sha256(whole.encode("utf-8")).hexdigest()


class _Cache:
    """Clips in files, each with a checksum; written beside and moved, so that half a file is never found."""

    def __init__(self, directory: Path) -> None:
        self._directory = directory
        self._broken = False

    def has(self, key: str) -> bool:
        return self._path(key).is_file()

    def read(self, key: str) -> Clip | None:
        """None where there is no file or it is not what was written (a power cut leaves zeros behind)."""
        try:
            data = self._path(key).read_bytes()
            magic, rate, count, checksum = _HEADER.unpack_from(data)
        except (OSError, struct.error):
            return None
        body = data[_HEADER.size :]
        if magic != _MAGIC or not rate or len(body) != 2 * count or zlib.crc32(body) != checksum:
            return None
        return Clip(np.frombuffer(body, "<i2").astype(np.int16), rate)

    def write(self, key: str, clip: Clip) -> None:
        """A disk that is full or forbidden is said once in the log, and rendering goes on without it."""
        if self._broken:
            return
        body = clip.samples.astype("<i2").tobytes()
        header = _HEADER.pack(_MAGIC, clip.rate, len(clip.samples), zlib.crc32(body))
        temporary = ""
        try:
            self._directory.mkdir(parents=True, exist_ok=True)
            handle, temporary = tempfile.mkstemp(prefix="new-", dir=self._directory)
            with os.fdopen(handle, "wb") as file:
                file.write(header + body)
            Path(temporary).replace(self._path(key))
        except OSError as trouble:
            self._broken = True
            _log.warning("prompts are not cached: %s", trouble.strerror)
            with contextlib.suppress(OSError):
                Path(temporary).unlink()

    def prune(self) -> None:
        """Keep the newest MOST_BYTES, and nothing that a crash left half-written."""
        with contextlib.suppress(OSError):
            files = sorted(self._directory.iterdir(), key=lambda file: file.stat().st_mtime, reverse=True)
            total = 0
            for file in files:
                total += file.stat().st_size
                if total > MOST_BYTES or file.name.startswith("new-"):
                    file.unlink()

    def _path(self, key: str) -> Path:
        return self._directory / f"{key}.clip"
