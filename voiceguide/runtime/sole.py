"""One guide at a time on a file of agreements: a lock of the operating system that dies with its process, however it dies.

It lies beside SQLite's own locks and knows nothing of them, so that others may look (`promises`, `history`) while a guide runs.
"""

from __future__ import annotations

import os
import sys
from pathlib import Path

if sys.platform == "win32":
    import msvcrt

    _FAR = 0x7FFF_0000  # a byte beyond the file and beyond SQLite's own locks, at 1 GiB

    def _lock(file: int) -> None:
        os.lseek(file, _FAR, os.SEEK_SET)
        try:
            msvcrt.locking(file, msvcrt.LK_NBLCK, 1)
        except OSError:
            raise BlockingIOError from None

else:
    import fcntl

    def _lock(file: int) -> None:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)


class SoleUse:
    """The right to write to `path`. Taken once, let go when asked or when the process ends."""

    def __init__(self, path: Path) -> None:
        """Cheap; nothing is opened."""
        self._path = path
        self._file: int | None = None

    def take(self) -> bool:
        """Take it, making the file (for its owner alone) where there is none. False: this disk knows no such locks.

        Raises BlockingIOError when another has it, and OSError when the file cannot be opened.
        """
        file = os.open(self._path, os.O_RDWR | os.O_CREAT | getattr(os, "O_BINARY", 0), 0o600)
        try:
            _lock(file)
        except BlockingIOError:
            os.close(file)
            raise
        except OSError:  # some network disks
            os.close(file)
            return False
        self._file = file
        return True

    def let_go(self) -> None:
        """Safe to call twice. Close the database first: on POSIX, closing any handle of a file ends all of its SQLite locks."""
        if self._file is not None:
            os.close(self._file)
            self._file = None
