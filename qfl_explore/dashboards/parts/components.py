"""What our pages change in Panel's React components, in the browser: a script that comes before any of them is drawn.

Without it a component that the server changes twice in short order may return to the first of the two.
"""

from pathlib import Path

#: Needs Bokeh and Panel.
SCRIPT = Path(__file__).with_name("components.js").read_text(encoding="utf-8")
