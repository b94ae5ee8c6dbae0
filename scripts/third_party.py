"""Writes THIRD_PARTY.md: the licence of every package in requirements.lock, from the installed metadata.

    python scripts/third_party.py            # writes the file anew
    python scripts/third_party.py --check    # ends with code 1 where the file is not what would be written

Packages that are for other platforms or Pythons have no metadata here; their licences stand in ``ELSEWHERE``.
"""

from __future__ import annotations

import argparse
import importlib.metadata
import re
import sys
from collections.abc import Iterator
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
LOCK, NOTICES = ROOT / "requirements.lock", ROOT / "THIRD_PARTY.md"

#: Not installed on the machine that writes the file, or without a licence in the metadata: read by hand.
ELSEWHERE = {
    "appnope": "BSD-2-Clause",
    "decorator": "BSD-2-Clause",
    "exceptiongroup": "MIT",
    "namex": "Apache-2.0",
    "partd": "BSD-3-Clause",
    "pyqsp": "MIT",
    "pywinpty": "MIT",
    "tomli": "MIT",
}
#: Words for one and the same licence.
SAME = {
    "Apache 2": "Apache-2.0",
    "Apache 2.0": "Apache-2.0",
    "Apache License 2.0": "Apache-2.0",
    "Apache License, Version 2.0": "Apache-2.0",
    "Apache Software License": "Apache-2.0",
    "3-Clause BSD License": "BSD-3-Clause",
    "BSD 3-Clause": "BSD-3-Clause",
    "BSD 3-Clause License": "BSD-3-Clause",
    "BSD License": "BSD",
    "ISC License": "ISC",
    "ISC license": "ISC",
    "ISC License (ISCL)": "ISC",
    "MIT License": "MIT",
    "MIT license": "MIT",
    "Python Software Foundation License": "PSF-2.0",
    "PSFL": "PSF-2.0",
}
HEAD = """# Third-party notices

qfl_explore is under the Apache License 2.0 (`LICENSE`). It contains no code of others. It needs the packages below,
which are installed beside it and keep their own licences and copyright notices; each brings its text with it. A plain
"BSD" means that the package does not say which of the BSD licences in its metadata.

The circuits' device noise uses median error rates that Google published with `cirq-google` (Apache-2.0). Data sets are
not part of the package; whose they are and what their licences allow is in `data/README.md`.

`python scripts/third_party.py` writes this list from the installed packages of `requirements.lock`.

| package | version | licence |
|---|---|---|
"""


def locked(lock: Path = LOCK) -> Iterator[tuple[str, str]]:
    """Names and versions of a lock; a package with two versions (one for each Python) comes twice."""
    for line in lock.read_text().splitlines():
        name, version = re.match(r"([A-Za-z0-9._-]+)==([^ ;]+)", line).groups()
        yield name, version


def licence(name: str) -> str:
    """The licence that a package declares: its expression, else a short text, else its classifiers.

    Raises:
        LookupError: it declares none, and none was written by hand.
    """
    if name in ELSEWHERE:
        return ELSEWHERE[name]
    try:
        data = importlib.metadata.metadata(name)
    except importlib.metadata.PackageNotFoundError:
        raise LookupError(f"{name} is not installed here. Expected: a line in ELSEWHERE. Received: none.") from None
    text = (data.get("License") or "").strip()
    classifiers = [item.split("::")[-1].strip() for item in data.get_all("Classifier") or [] if "License ::" in item]
    short = text if "\n" not in text and len(text) < 40 and text != "UNKNOWN" else ""
    found = data.get("License-Expression") or short or " and ".join(classifiers)
    if not found:
        raise LookupError(f"{name} states no licence. Expected: a line in ELSEWHERE. Received: none.")
    return SAME.get(found, found)


def notices() -> str:
    """The whole file."""
    rows = [f"| {name} | {version} | {licence(name)} |" for name, version in locked()]
    return HEAD + "\n".join(rows) + "\n"


def main() -> int:
    """Writes or checks the file."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--check", action="store_true", help="only say whether the file is up to date")
    if parser.parse_args().check:
        return int(NOTICES.read_text() != notices())
    NOTICES.write_text(notices())
    return 0


if __name__ == "__main__":
    sys.exit(main())
