"""What a server does before its first visitor: ``panel serve … --setup qfl_explore/dashboards/warm.py``.

Imports what the first pages need, loads the compiled kernels and builds the figures once, so
that the first visitor waits no longer than the next. TensorFlow is not touched.
"""


def warm() -> None:
    """Imports, kernels and figures of the first pages; takes a few seconds."""
    from qfl_explore.dashboards import circuit, polynomial, polynomial_figures, shell  # noqa: F401
    from qfl_explore.dashboards.polynomial_figures import derive
    from qfl_explore.dashboards.state import PolynomialState
    from qfl_explore.experiments.polynomial import prepare, stream

    polynomial_figures.SPARES.fill()
    circuit.SPARES.fill()
    config = PolynomialState().polynomial_config()
    frames = stream(config, prepare(config))
    for _ in range(2):
        derive(next(frames))


warm()
