"""The notebooks, and what they are run with here."""

import os
from pathlib import Path

import pytest

FOLDER = Path(__file__).parents[2] / "notebooks"
NOTEBOOKS = sorted(FOLDER.glob("*.ipynb"))

each = pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda path: path.stem)


def environment(folder):
    """Variables for small settings, and files in a folder of the test."""
    return os.environ | {"QFL_PRESET": "tiny", "IPYTHONDIR": str(folder)}
