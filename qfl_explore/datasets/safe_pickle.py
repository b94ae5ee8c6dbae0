"""Published pickles of plain values and NumPy arrays, read without letting them run anything."""

from __future__ import annotations

import pickle
from pathlib import Path
from typing import Any

from qfl_explore.errors import invalid

#: All that a pickle of lists, dicts, strings and arrays needs, under the names of old and new NumPy.
ALLOWED = {
    ("_codecs", "encode"),
    ("numpy", "dtype"),
    ("numpy", "ndarray"),
    *((f"numpy.{core}.multiarray", name) for core in ("core", "_core") for name in ("_reconstruct", "scalar")),
    ("numpy.core.numeric", "_frombuffer"),
    ("numpy._core.numeric", "_frombuffer"),
}


class _Reader(pickle.Unpickler):
    def find_class(self, module: str, name: str) -> Any:
        if (module, name) not in ALLOWED:
            raise pickle.UnpicklingError(f"it asks for {module}.{name}")
        return super().find_class(module.replace("numpy.core", "numpy._core"), name)


def read_pickle(path: Path, encoding: str = "latin1") -> Any:
    """Reads a pickle that holds plain values and arrays only.

    Args:
        path: of the file; Python 2's are read too.
        encoding: of its byte strings.

    Raises:
        ValueError: it asks for anything else, or is damaged.
    """
    try:
        with path.open("rb") as file:
            return _Reader(file, encoding=encoding).load()
    except OSError:
        raise
    except Exception as error:  # a damaged pickle may raise almost anything
        text = str(error) or type(error).__name__
        raise invalid(f"{path.name} cannot be read", "a pickle of plain values and arrays", text) from None
