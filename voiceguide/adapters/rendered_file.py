"""What engines leave behind: RIFF on Linux and Windows, AIFF on macOS whatever the file is called. The header decides."""

from __future__ import annotations

import io
import math
import struct
import wave

import numpy as np

from voiceguide.runtime.ports import Clip, Samples

_MARGIN = 2.0**-63  # of the 80-bit number in an AIFF header


def decode(data: bytes) -> Clip:
    """A finished sound file as mono int16. Raises ValueError when it is no sound, unfinished, or empty."""
    if data[:4] == b"RIFF":
        clip = _riff(data)
    elif data[:4] == b"FORM":
        clip = _form(data)
    else:
        raise ValueError("neither RIFF nor FORM")
    if not len(clip.samples):
        raise ValueError("no samples")
    return clip


def _riff(data: bytes) -> Clip:
    try:
        with wave.open(io.BytesIO(data), "rb") as file:
            channels, width, rate = file.getnchannels(), file.getsampwidth(), file.getframerate()
            # Engines that write to a pipe do not know the length and put in a huge one: what is there counts.
            body = file.readframes((len(data) // (channels * width)) + 1)
    except (wave.Error, EOFError, struct.error, ZeroDivisionError):
        raise ValueError("a broken RIFF file") from None
    if width == 1:
        samples = ((np.frombuffer(body, np.uint8).astype(np.int16) - 128) << 8).astype(np.int16)
    elif width == 2:
        samples = np.frombuffer(body[: len(body) // 2 * 2], "<i2").astype(np.int16)
    else:
        raise ValueError("neither 8 nor 16 bits")
    return Clip(_first_channel(samples, channels), rate)


def _form(data: bytes) -> Clip:
    """AIFF, and AIFC as far as macOS writes it (16 bits, either byte order)."""
    channels, width, rate, order, body = 0, 0, 0, ">i2", b""
    at = 12
    while at + 8 <= len(data):
        name, size = data[at : at + 4], struct.unpack_from(">I", data, at + 4)[0]
        chunk = data[at + 8 : at + 8 + size]
        if name == b"COMM" and len(chunk) >= 18:
            channels, _, width = struct.unpack_from(">hIh", chunk)
            rate = round(_extended(chunk[8:18]))
            order = "<i2" if chunk[18:22] == b"sowt" else ">i2"
        elif name == b"SSND":
            body = chunk[8:]
        at += 8 + size + size % 2
    if not channels or not rate or width != 16:
        raise ValueError("a broken or unusual FORM file")
    return Clip(_first_channel(np.frombuffer(body[: len(body) // 2 * 2], order).astype(np.int16), channels), rate)


def _extended(data: bytes) -> float:
    """An 80-bit IEEE 754 number."""
    exponent, mantissa = struct.unpack(">HQ", data)
    return float(mantissa * _MARGIN * math.pow(2.0, (exponent & 0x7FFF) - 16383))


def _first_channel(samples: Samples, channels: int) -> Samples:
    return samples if channels == 1 else samples[::channels].copy()
