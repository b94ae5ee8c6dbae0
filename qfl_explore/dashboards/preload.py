"""What ``panel serve --setup`` runs once: imports, kernels, figures, so that the first visitor waits for none.

TensorFlow is left alone: the first pages do not need it.
"""

from qfl_explore.dashboards import circuit, polynomial_figures
from qfl_explore.dashboards.shell import Shell
from qfl_explore.simulation.batched import warm_up

warm_up()
polynomial_figures.SPARES.fill()
circuit.SPARES.fill()
Shell().close()
