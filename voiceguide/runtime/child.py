"""The child's side of a supervised worker: answer requests in order, leave no orphan, print nothing.

An engine that can abort or hang lives behind `serve`. Requests arrive on a pipe; a thread of its own reads them, so that
the parent never waits for a full pipe and the end of the parent is noticed while the engine works. (Linux's parent-death
signal would be quicker than that thread and would leave behind what the engine started.)
"""

from __future__ import annotations

import os
import queue
import signal
import sys
import threading
from collections.abc import Callable
from multiprocessing.connection import Connection
from pathlib import Path

from voiceguide.errors import VoiceguideError

Tell = Callable[[object], None]
Handler = Callable[[object, Tell], object]
Build = Callable[..., Handler]

READY, REFUSED, TOLD, DONE, FAILED = "ready", "refused", "told", "done", "failed"
Trouble = tuple[str, str, str, str]  # class name, code, message, hint

_KEEP_OUTPUT = "VOICEGUIDE_WORKER_OUTPUT"  # set to anything: engines may write on our stderr (for their developers)


def serve(pipe: Connection, build: Build, arguments: tuple[object, ...]) -> None:
    """Build the engine, say so (or why not), then answer until the pipe ends. Runs as the whole life of the process."""
    _detach()
    requests: queue.SimpleQueue[tuple[int, object]] = queue.SimpleQueue()
    threading.Thread(target=_read, args=(pipe, requests), name="requests", daemon=True).start()
    try:
        handler = build(*arguments)
    except VoiceguideError as trouble:
        pipe.send((REFUSED, 0, _described(trouble)))
        return
    except Exception as trouble:  # noqa: BLE001 - a border: whatever an engine raises while loading becomes one sentence
        # Nothing has been heard yet, so the engine's own words cannot hold speech.
        pipe.send((REFUSED, 0, ("", type(trouble).__name__, str(trouble), "")))
        return
    pipe.send((READY, 0, None))
    while True:
        number, request = requests.get()
        _answer(pipe, handler, number, request)


def _answer(pipe: Connection, handler: Handler, number: int, request: object) -> None:
    try:
        value = handler(request, lambda told: pipe.send((TOLD, number, told)))
    except VoiceguideError as trouble:
        pipe.send((FAILED, number, _described(trouble)))
    except Exception as trouble:  # noqa: BLE001 - a border; only the kind and the place leave: the message may hold speech
        pipe.send((FAILED, number, ("", type(trouble).__name__, _place(trouble), "")))
    else:
        pipe.send((DONE, number, value))


def _described(trouble: VoiceguideError) -> Trouble:
    return type(trouble).__name__, trouble.code, trouble.message, trouble.hint


def _place(trouble: BaseException) -> str:
    trace = trouble.__traceback__
    while trace is not None and trace.tb_next is not None:
        trace = trace.tb_next
    if trace is None:
        return ""
    return f"{Path(trace.tb_frame.f_code.co_filename).name}:{trace.tb_lineno}"


def _read(pipe: Connection, requests: queue.SimpleQueue[tuple[int, object]]) -> None:
    try:
        while True:
            requests.put(pipe.recv())
    except (EOFError, OSError):
        _vanish()


def _vanish() -> None:
    """The parent is gone: take everything that was started here along, at once and without clean-up handlers."""
    if hasattr(os, "killpg") and os.getpgid(0) == os.getpid():
        os.killpg(os.getpid(), signal.SIGKILL)
    os._exit(0)


def _detach() -> None:
    """Own process group (killed as one), deaf to Ctrl-C (the parent decides), silent."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    if hasattr(os, "setsid"):
        os.setsid()
    silence = os.open(os.devnull, os.O_WRONLY)
    # Engines print on stdout (pyttsx3 "Audio saved to", vosk); the program's stdout belongs to --json.
    os.dup2(2 if _KEEP_OUTPUT in os.environ else silence, 1)
    if _KEEP_OUTPUT not in os.environ:
        os.dup2(silence, 2)
    sys.stdin = Path(os.devnull).open(encoding="utf-8")  # noqa: SIM115 - lives as long as the process
