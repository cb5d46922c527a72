"""An engine that can abort or hang runs in a child process that is started, watched, killed as a group and restarted.

A worker that is lost loses its unanswered requests and nothing else: the agreement, the clocks and the store live in the
parent. One thread writes, one reads, watches and restarts; callbacks come from the latter.
"""

from __future__ import annotations

import itertools
import logging
import multiprocessing
import os
import queue
import signal
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from multiprocessing.connection import Connection
from multiprocessing.context import SpawnProcess

from voiceguide import errors
from voiceguide.runtime import child as side
from voiceguide.runtime.child import Build, Trouble

FIRST_WAIT, LONGEST_WAIT = 0.2, 5.0  # seconds between restarts; doubled each time
PROVEN = 30.0  # seconds a child must have lived for the next wait to be short again
_GLANCE = 0.1  # seconds between two looks at a silent child

_log = logging.getLogger(__name__)


class WorkerLost(Exception):  # noqa: N818 - it tells what happened, as EarLost does
    """The child died, hung, or failed on this request. The text is technical: never what a partner said."""


@dataclass(slots=True)
class _Call:
    """One question that somebody waits for."""

    answered: threading.Event
    value: object = None
    trouble: Exception | None = None


class Worker:
    """A supervised child that answers requests in order.

    `build(*arguments)` runs in the child (module-level, picklable) and returns a handler: `handler(request, tell) -> value`.
    `tell(value)` sends something at once; the returned value, if not None, follows. Both reach `on_reply` for `post`;
    for `call` the returned value is the call's. A handler that raises VoiceguideError fails its own request only.
    """

    def __init__(
        self, name: str, build: Build, arguments: tuple[object, ...] = (), *, hang_seconds: float = 10.0
    ) -> None:
        """`hang_seconds`: a child with work to do that says nothing for so long is taken for hung and killed."""
        self.name = name
        self._build, self._arguments, self._hang_seconds = build, arguments, hang_seconds
        self._on_reply: Callable[[object], None] = lambda _: None
        self._on_lost: Callable[[str], None] = lambda _: None
        self._on_back: Callable[[], None] = lambda: None
        self._numbers = itertools.count(1)
        self._lock = threading.Lock()
        self._calls: dict[int, _Call] = {}
        self._last_sent = self._last_done = 0
        self._outbox: queue.SimpleQueue[tuple[int, object] | None] = queue.SimpleQueue()
        self._process: SpawnProcess | None = None
        self._pipe: Connection | None = None
        self._ready, self._closing = threading.Event(), threading.Event()
        self._refusal: Exception | None = None
        self._threads: list[threading.Thread] = []

    def start(
        self,
        on_reply: Callable[[object], None] = lambda _: None,
        on_lost: Callable[[str], None] = lambda _: None,
        on_back: Callable[[], None] = lambda: None,
        within_seconds: float = 60.0,
    ) -> None:
        """Start the child and wait until its engine is built.

        `on_lost(detail)` is called at each loss, `on_back()` when a new child is ready (post what it must know there).
        Raises what `build` raised (a VoiceguideError as itself), or WorkerLost when it takes longer than `within_seconds`.
        """
        self._on_reply, self._on_lost, self._on_back = on_reply, on_lost, on_back
        for work in (self._watch, self._write):
            thread = threading.Thread(target=work, name=f"{self.name}-{work.__name__.strip('_')}", daemon=True)
            self._threads.append(thread)
            thread.start()
        if not self._ready.wait(within_seconds):
            self._refusal = WorkerLost(f"{self.name}: not ready within {within_seconds:.0f} s")
        if self._refusal is not None:
            refusal = self._refusal
            self.close()
            raise refusal

    @property
    def alive(self) -> bool:
        """A built engine is there to answer."""
        return self._ready.is_set() and not self._closing.is_set()

    @property
    def pid(self) -> int | None:
        """The child's process id (also that of its group); None between two children."""
        process = self._process
        return process.pid if process is not None else None

    def post(self, request: object) -> bool:
        """Send without waiting. False (and nothing is sent) while there is no child: what it would have heard is gone."""
        return self._send(request, None) is not None

    def call(self, request: object, within_seconds: float) -> object:
        """Send and wait for the returned value. Not from `on_reply`.

        Raises WorkerLost when the child dies or takes longer (it is then killed), else what the handler raised.
        """
        call = _Call(threading.Event())
        number = self._send(request, call)
        if number is None:
            raise WorkerLost(f"{self.name}: being restarted")
        if not call.answered.wait(within_seconds):
            with self._lock:
                late = self._calls.pop(number, None) is not None
            if late:
                self._kill()
                raise WorkerLost(f"{self.name}: no answer within {within_seconds:g} s")
        if call.trouble is not None:
            raise call.trouble
        return call.value

    def close(self) -> None:
        """End the child and its group; safe to call twice, also from a callback."""
        self._closing.set()
        self._outbox.put(None)
        self._kill()
        for thread in self._threads:
            if thread is not threading.current_thread():
                thread.join(2.0)
        self._fail_calls("closed")

    def _send(self, request: object, call: _Call | None) -> int | None:
        with self._lock:
            if not self.alive:
                return None
            number = next(self._numbers)
            if call is not None:
                self._calls[number] = call
            self._last_sent = number
            self._outbox.put((number, request))
        return number

    def _write(self) -> None:
        while (message := self._outbox.get()) is not None:
            pipe = self._pipe
            if pipe is None or message[0] <= self._last_done:
                continue  # it was meant for a child that is gone
            try:
                pipe.send(message)
            except (OSError, ValueError):
                _log.debug("%s: request %d found no child", self.name, message[0])

    def _watch(self) -> None:
        if hasattr(signal, "pthread_sigmask"):
            # Inherited by the child: Ctrl-C must not reach it even before its first line of Python has run.
            signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT})
        wait, first = FIRST_WAIT, True
        while not self._closing.is_set():
            began = time.monotonic()
            self._spawn()
            detail = self._attend(first)
            self._kill()
            if first and not self._ready.is_set():  # an engine that dies of its model would die again
                self._refusal = WorkerLost(detail)
                self._ready.set()
            self._forget(detail)
            if self._closing.is_set() or self._refusal is not None:
                break
            first = False
            wait = FIRST_WAIT if time.monotonic() - began > PROVEN else wait
            self._safely(self._on_lost, detail)
            self._closing.wait(wait)
            wait = min(wait * 2, LONGEST_WAIT)

    def _spawn(self) -> None:
        context = multiprocessing.get_context("spawn")
        ours, theirs = context.Pipe()
        process = context.Process(
            target=side.serve, args=(theirs, self._build, self._arguments), name=self.name, daemon=True
        )
        process.start()
        theirs.close()
        self._pipe, self._process = ours, process
        if self._closing.is_set():  # close() may have looked for a child just before there was one
            self._kill()

    def _attend(self, first: bool) -> str:
        """Read until the child is lost; returns how it was lost."""
        pipe, process = self._pipe, self._process
        assert pipe is not None
        assert process is not None
        heard = time.monotonic()
        while True:
            try:
                if pipe.poll(_GLANCE):
                    kind, number, value = pipe.recv()
                    heard = time.monotonic()
                    if kind == side.REFUSED:
                        return self._refused(value, first)
                    self._handle(kind, number, value, first)
                    continue
            except (EOFError, OSError):
                process.join(1.0)
                return f"{self.name}: process ended ({process.exitcode})"
            if not process.is_alive():
                return f"{self.name}: process ended ({process.exitcode})"
            if self._last_sent <= self._last_done:
                heard = time.monotonic()
            elif self._ready.is_set() and time.monotonic() - heard > self._hang_seconds:
                return f"{self.name}: hung for {self._hang_seconds:g} s"

    def _refused(self, trouble: Trouble, first: bool) -> str:
        if first:
            self._refusal = _rebuilt(self.name, trouble)
            self._ready.set()
        return f"{self.name}: could not be built ({trouble[1]})"

    def _handle(self, kind: str, number: int, value: object, first: bool) -> None:
        if kind == side.READY:
            self._ready.set()
            if not first:
                self._safely(self._on_back)
        elif kind == side.TOLD:
            self._safely(self._on_reply, value)
        else:
            self._done(kind, number, value)

    def _done(self, kind: str, number: int, value: object) -> None:
        trouble = _rebuilt(self.name, value) if kind == side.FAILED else None  # type: ignore[arg-type]  # as child.py sends
        with self._lock:
            call = self._calls.pop(number, None)
        if call is not None:
            call.value, call.trouble = value, trouble
            call.answered.set()
        elif trouble is not None:
            _log.warning("%s: a request failed: %s", self.name, trouble)
        elif value is not None:
            self._safely(self._on_reply, value)
        self._last_done = number

    def _forget(self, detail: str) -> None:
        """No child: whatever was asked of it will never be answered."""
        with self._lock:
            if self._refusal is None:
                self._ready.clear()
            self._last_done = self._last_sent
            pipe, self._pipe, self._process = self._pipe, None, None
        if pipe is not None:
            pipe.close()
        self._fail_calls(detail)

    def _fail_calls(self, detail: str) -> None:
        with self._lock:
            calls, self._calls = self._calls, {}
        for call in calls.values():
            call.trouble = WorkerLost(detail)
            call.answered.set()

    def _kill(self) -> None:
        """Kill the child with everything it started (an orphaned player would go on sounding)."""
        process = self._process
        if process is None or process.pid is None:
            return
        try:
            if hasattr(os, "killpg") and os.getpgid(process.pid) == process.pid:
                os.killpg(process.pid, signal.SIGKILL)
            else:  # it has not made its own group yet
                process.kill()
        except (ProcessLookupError, PermissionError):
            pass  # it was quicker
        process.join(1.0)

    def _safely(self, callback: Callable[..., None], *arguments: object) -> None:
        """A callback that fails must not leave the house deaf: this thread is the only one that listens to the child."""
        try:
            callback(*arguments)
        except Exception as trouble:  # noqa: BLE001 - see above; only the kind is logged: the message may hold speech
            _log.error("%s: a callback raised %s", self.name, type(trouble).__name__)


def _rebuilt(name: str, trouble: Trouble) -> Exception:
    kind, code, message, hint = trouble
    known = getattr(errors, kind, None) if kind else None
    if isinstance(known, type) and issubclass(known, errors.VoiceguideError):
        return known(code, message, hint=hint)
    return WorkerLost(f"{name}: {code} ({message})" if message else f"{name}: {code}")
