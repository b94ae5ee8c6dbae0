"""Records in WFDB form: a text header (.hea) and 16-bit samples (.dat, or .mat with a byte offset).

Source: the WFDB header format of PhysioNet, format 16. Checked against the checksums that headers carry.
"""

from __future__ import annotations

import dataclasses
import re
from pathlib import Path

import numpy as np

from qfl_explore.datasets.faults import BadRecord

#: What a sample says where nothing was recorded.
INVALID = -32768
_GAIN = re.compile(r"^(?P<gain>[\d.eE+-]+?)(\((?P<baseline>-?\d+)\))?(/(?P<unit>\S+))?$")
_FORMAT = re.compile(r"^16(\+(?P<offset>\d+))?$")


@dataclasses.dataclass(frozen=True)
class Header:
    """What a header says of a record.

    Attributes:
        sample_rate: in hertz.
        n_samples: of each signal.
        file: that holds the samples.
        offset: bytes before the first sample.
        names: of the signals.
        gains: [signals], units of the converter in one physical unit.
        baselines: [signals], the converter's zero.
        checksums: [signals], sum of the samples modulo 65536; ``None`` where a header has none.
        unit: physical.
        comments: lines that start with ``#``.
    """

    sample_rate: float
    n_samples: int
    file: str
    offset: int
    names: tuple[str, ...]
    gains: np.ndarray
    baselines: np.ndarray
    checksums: tuple[int | None, ...]
    unit: str
    comments: tuple[str, ...] = ()


def read_header(path: Path) -> Header:
    """Reads a header.

    Raises:
        BadRecord: it is missing, or not of the form that this reader knows.
    """
    try:
        text = path.read_text(encoding="utf-8", errors="replace")
    except OSError as error:
        raise BadRecord(f"header cannot be read ({error.strerror})", path.name) from None
    lines = [line.strip() for line in text.splitlines() if line.strip()]
    body = [line for line in lines if not line.startswith("#")]
    try:
        head = body[0].split()
        n_signals, rate, n_samples = int(head[1]), float(head[2].split("/")[0]), int(head[3])
        signals = [_signal(line.split()) for line in body[1 : 1 + n_signals]]
    except (IndexError, ValueError) as error:
        raise BadRecord(f"header is malformed ({error})", path.name) from None
    if len(signals) != n_signals or n_signals < 1 or n_samples < 1 or not rate > 0:
        raise BadRecord(f"header names {len(signals)} of {n_signals} signals, {n_samples} samples", path.name)
    if len({(signal["file"], signal["offset"], signal["unit"]) for signal in signals}) > 1:
        raise BadRecord("signals lie in several files or have several units", path.name)
    return Header(
        rate,
        n_samples,
        signals[0]["file"],
        signals[0]["offset"],
        tuple(signal["name"] for signal in signals),
        np.array([signal["gain"] for signal in signals]),
        np.array([signal["baseline"] for signal in signals]),
        tuple(signal["checksum"] for signal in signals),
        signals[0]["unit"],
        tuple(line for line in lines if line.startswith("#")),
    )


def _signal(words: list[str]) -> dict:
    form, gain = _FORMAT.match(words[1]), _GAIN.match(words[2])
    if not form or not gain or not float(gain["gain"]) > 0:
        raise ValueError(f"format {words[1]!r} with gain {words[2]!r}; format 16 is read")
    zero = int(words[4]) if len(words) > 4 else 0
    return {
        "file": words[0],
        "offset": int(form["offset"] or 0),
        "gain": float(gain["gain"]),
        "baseline": int(gain["baseline"]) if gain["baseline"] else zero,
        "unit": gain["unit"] or "mV",
        "checksum": int(words[6]) if len(words) > 6 else None,
        "name": " ".join(words[8:]) or "?",
    }


def read_samples(path: Path, header: Header) -> np.ndarray:
    """Reads a record's samples as the converter gave them.

    Args:
        path: of the header; the samples lie beside it.
        header: as read from it.

    Returns:
        [samples, signals], int16.

    Raises:
        BadRecord: the file is missing, too short or too long, its checksum is wrong, or samples are missing.
    """
    file = path.with_name(header.file)
    n_signals = len(header.names)
    expected = 2 * header.n_samples * n_signals
    try:
        size = file.stat().st_size - header.offset
        if size != expected:
            raise BadRecord(f"{size} bytes of samples instead of {expected}", file.name)
        samples = np.fromfile(file, dtype="<i2", offset=header.offset).reshape(-1, n_signals)
    except OSError as error:
        raise BadRecord(f"samples cannot be read ({error.strerror})", file.name) from None
    sums = samples.sum(axis=0, dtype=np.int64) % 65536
    for name, found, told in zip(header.names, sums, header.checksums, strict=True):
        if told is not None and found != told % 65536:
            raise BadRecord(f"checksum of {name} is {found} instead of {told % 65536}", file.name)
    if (samples == INVALID).any():
        raise BadRecord(f"{int((samples == INVALID).sum())} samples are marked as not recorded", file.name)
    return samples
