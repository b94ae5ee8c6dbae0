"""What ``panel serve --setup`` runs once: imports, kernels, figures, so that visitors wait for none.

The first two pages are ready before the server is; the others become so behind it. TensorFlow is left
alone: no page needs it to open.
"""

import importlib
import sys
import threading
import time

from bokeh.core.json_encoder import serialize_json
from bokeh.document import Document
from panel.io.state import set_curdoc

from qfl_explore.dashboards.circuit import page as circuit
from qfl_explore.dashboards.frame.packed import begin_packing
from qfl_explore.dashboards.frame.shell import Shell
from qfl_explore.dashboards.pages import PAGES
from qfl_explore.dashboards.polynomial import figures as polynomial_figures
from qfl_explore.dashboards.runs.tuning import leave_imports_out, tune
from qfl_explore.plots.style import Spares
from qfl_explore.simulation.batched import warm_up

#: Seconds between two imports or figures, in which visitors have the interpreter, and before the first of them.
PAUSE_S, FIRST_S = 0.15, 4.0
#: How many rests nobody may have opened a page: visitors come one after the other, and an import keeps them waiting.
RESTS = 3
#: A warm-up that takes longer than this, in seconds, compiles; then the person at the terminal is told.
SLOW_S = 10.0
COMPILING = "Compiling the simulator, once for this installation: a minute or more. The address answers afterwards.\n"


def warm_up_aloud() -> None:
    """Makes the kernels ready, and says so where that takes long."""
    told = threading.Timer(SLOW_S, sys.stderr.write, (COMPILING,))
    told.daemon = True
    told.start()
    warm_up()
    told.cancel()


def rehearse() -> None:
    """Makes one document as for a visitor, so that nobody waits for what happens only once."""
    document = Document()
    with set_curdoc(document):
        shell = Shell()
        shell.page.server_doc(document)
        serialize_json(document.to_json())
        shell.close()


def prepare_other_pages() -> None:
    """Imports every page and makes its figures, one at a time, while nobody opens a page."""
    time.sleep(FIRST_S)
    for page in PAGES:
        Spares.wait_for_rest(RESTS)
        importlib.import_module(page.module)
        time.sleep(PAUSE_S)
    for spares in tuple(Spares.every):
        for key in spares.keys:
            Spares.wait_for_rest(RESTS)
            spares.fill((key,))
            time.sleep(PAUSE_S)


tune()
begin_packing()
warm_up_aloud()
rehearse()
polynomial_figures.SPARES.fill()
circuit.SPARES.fill()
leave_imports_out()
threading.Thread(target=prepare_other_pages, name="qfl-prepare", daemon=True).start()
