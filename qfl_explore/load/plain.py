"""A page of plain Panel to compare with: how soon this machine and its browser can show any page of the kind."""

from pathlib import Path

#: One slider, and nothing is computed; a script of its own, with nothing of this package in it.
SCRIPT = """
import panel as pn
import panel_material_ui as pmui

pn.extension()
slider = pmui.IntSlider(label="Degree P", value=3, start=1, end=8)
pmui.Page(title="One slider", sidebar=[slider], main=[pmui.Typography("Nothing is computed here.")]).servable()
"""


def write(folder: Path) -> Path:
    """Writes it as ``plain.py``, which Panel serves below ``/plain``."""
    folder.mkdir(parents=True, exist_ok=True)
    (path := folder / "plain.py").write_text(SCRIPT)
    return path
