"""What ``panel serve --setup`` runs once: imports, kernels, figures, so that the first visitor waits for none.

TensorFlow is left alone: the first pages do not need it.
"""

import threading

from qfl_explore.dashboards import circuit, polynomial_figures, real_data_tabs
from qfl_explore.dashboards.shell import Shell
from qfl_explore.simulation.batched import warm_up

warm_up()
polynomial_figures.SPARES.fill()
circuit.SPARES.fill()
Shell().close()
threading.Thread(target=real_data_tabs.SPARES.fill, daemon=True).start()  # fifteen figures: nobody waits for them
