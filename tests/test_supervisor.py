"""A worker may die or hang; its parent may not, and nothing is left behind."""

from __future__ import annotations

import os
import queue
import signal
import subprocess
import sys
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from voiceguide.errors import ModelError
from voiceguide.runtime.child import Handler, Tell
from voiceguide.runtime.supervisor import Worker, WorkerLost


def build_echo() -> Handler:
    """A child that does what it is told."""

    def handle(request: object, tell: Tell) -> object:
        match request:
            case "abort":
                os.abort()
            case "hang":
                threading.Event().wait()
            case "raise":
                raise ValueError("what a partner said")
            case "refuse":
                raise ModelError("no_model", "There is no model", hint="fetch one")
            case "print":
                print("noise on stdout")
                os.system("echo more noise")  # a grandchild that prints
            case "child":
                return subprocess.Popen(["sleep", "60"]).pid
            case ("tell", value):
                tell(value)
                return None
        return request

    return handle


def build_refusing() -> Handler:
    raise ModelError("model_missing", "There is no model", hint="scripts/fetch-models")


def build_broken() -> Handler:
    raise RuntimeError("broken engine")


@pytest.fixture
def worker() -> Iterator[Worker]:
    made = Worker("echo", build_echo, hang_seconds=0.5)
    yield made
    made.close()


def gone(pid: int) -> bool:
    """No such process, or only its unreaped entry."""
    try:
        return Path(f"/proc/{pid}/stat").read_text(encoding="ascii").split()[2] == "Z"
    except FileNotFoundError:
        return True


def wait_gone(pid: int) -> bool:
    waiting = threading.Event()
    return any(gone(pid) or waiting.wait(0.05) for _ in range(100))


def test_requests_are_answered_in_order_and_calls_return_their_own_value(worker: Worker) -> None:
    heard: queue.Queue[object] = queue.Queue()
    worker.start(on_reply=heard.put)
    assert worker.post(("tell", "at once"))
    assert worker.post("first")
    assert worker.call("mine", 5) == "mine"
    assert [heard.get(timeout=1), heard.get(timeout=1)] == ["at once", "first"]
    assert heard.empty()


def test_a_child_that_aborts_is_told_and_replaced(worker: Worker) -> None:
    lost: queue.Queue[str] = queue.Queue()
    back = threading.Event()
    worker.start(on_lost=lost.put, on_back=back.set)
    with pytest.raises(WorkerLost):
        worker.call("abort", 5)
    assert "process ended" in lost.get(timeout=5)
    assert back.wait(10)
    assert worker.call("again", 5) == "again"


def test_a_child_that_hangs_is_killed_and_replaced(worker: Worker) -> None:
    lost: queue.Queue[str] = queue.Queue()
    back = threading.Event()
    worker.start(on_lost=lost.put, on_back=back.set)
    pid = worker.pid
    assert worker.post("hang")
    assert "hung" in lost.get(timeout=5)
    assert back.wait(10)
    assert pid is not None and wait_gone(pid)


def test_a_call_that_takes_too_long_is_given_up_and_its_child_killed(worker: Worker) -> None:
    worker.start()
    pid = worker.pid
    with pytest.raises(WorkerLost):
        worker.call("hang", 0.2)
    assert pid is not None and wait_gone(pid)


def test_trouble_of_a_request_is_its_own_and_holds_nothing_that_was_said(worker: Worker) -> None:
    worker.start()
    with pytest.raises(ModelError) as known:
        worker.call("refuse", 5)
    assert (known.value.code, known.value.hint) == ("no_model", "fetch one")
    with pytest.raises(WorkerLost) as unknown:
        worker.call("raise", 5)
    assert "ValueError" in str(unknown.value)
    assert "partner" not in str(unknown.value)
    assert worker.call("still here", 5) == "still here"


def test_an_engine_that_cannot_be_built_says_why() -> None:
    with pytest.raises(ModelError, match="There is no model"):
        Worker("ear", build_refusing).start()
    with pytest.raises(WorkerLost, match="broken engine"):
        Worker("ear", build_broken).start()


def test_the_stdout_of_a_child_is_not_ours(worker: Worker, capfd: pytest.CaptureFixture[str]) -> None:
    worker.start()
    worker.call("print", 5)
    worker.close()
    assert capfd.readouterr() == ("", "")


def test_closing_twice_is_safe_and_takes_grandchildren_along(worker: Worker) -> None:
    worker.start()
    grandchild = worker.call("child", 5)
    assert isinstance(grandchild, int)
    worker.close()
    worker.close()
    assert not worker.post("late")
    assert wait_gone(grandchild)


@pytest.mark.skipif(sys.platform == "win32", reason="process groups and kill -9 are of POSIX")
def test_no_orphan_is_left_when_the_parent_is_killed() -> None:
    script = (
        "import sys, threading; from tests.test_supervisor import build_echo; from voiceguide.runtime.supervisor import Worker\n"
        "worker = Worker('echo', build_echo); worker.start()\n"
        "print(worker.pid, worker.call('child', 5), flush=True); threading.Event().wait()"
    )
    with subprocess.Popen([sys.executable, "-c", script], stdout=subprocess.PIPE, text=True) as parent:
        assert parent.stdout is not None
        child, grandchild = map(int, parent.stdout.readline().split())
        parent.kill()
    assert wait_gone(child)
    assert wait_gone(grandchild)


@pytest.mark.skipif(sys.platform == "win32", reason="signals are of POSIX")
def test_ctrl_c_is_the_parents_to_decide(worker: Worker) -> None:
    worker.start()
    assert worker.pid is not None
    os.kill(worker.pid, signal.SIGINT)
    assert worker.call("still here", 5) == "still here"
