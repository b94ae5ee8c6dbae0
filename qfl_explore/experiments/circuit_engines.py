"""Expectation values of any small circuit on every engine.

The backends of ``simulation`` answer for fusion circuits; the protocols of the separation study are
circuits of other shapes, so they go to the engines directly.
"""

from __future__ import annotations

import contextlib
import os
from collections.abc import Callable, Iterator, Sequence
from typing import Any

import cirq
import numpy as np
import sympy

from qfl_explore.errors import check_option, invalid
from qfl_explore.simulation.base import ENGINES

#: Largest deviation from cirq in complex128 that the amplitudes' precision explains.
TOLERANCES = {"batched": 1e-12, "cirq": 1e-12, "qsim": 2e-5, "tfq": 2e-5}


def circuit_expectations(
    engine: str,
    circuit: cirq.Circuit,
    qubits: Sequence[cirq.Qid],
    symbols: Sequence[sympy.Symbol],
    values: Any,
    observables: Sequence[cirq.PauliSum],
) -> np.ndarray:
    """Expectation values of a circuit's observables.

    Args:
        engine: ``batched`` (in float64), ``cirq``, ``qsim`` or ``tfq``.
        circuit: over ``symbols``.
        qubits: the register, most significant bit first.
        symbols: S symbols.
        values: [B, S], radians.
        observables: K Pauli sums.

    Returns:
        [B, K], float64.

    Raises:
        ValueError: the engine is unknown, or ``values`` has the wrong shape.
        ImportError: the engine is not installed here.

    >>> x, q = sympy.Symbol("x"), cirq.GridQubit(0, 0)
    >>> z = cirq.PauliSum.from_pauli_strings([cirq.PauliString({q: cirq.Z})])
    >>> circuit_expectations("cirq", cirq.Circuit(cirq.ry(x)(q)), [q], [x], [[0.0], [np.pi / 3]], [z]).round(6).tolist()
    [[1.0], [0.5]]
    """
    check_option("engine", engine, ENGINES)
    values = np.asarray(values, np.float64)
    if values.ndim != 2 or values.shape[1] != len(symbols):
        raise invalid("values have the wrong shape", f"[B, {len(symbols)}]", f"shape {list(values.shape)}")
    return np.asarray(_RUNNERS[engine](circuit, qubits, symbols, values, observables), np.float64)


@contextlib.contextmanager
def silent_stderr() -> Iterator[None]:
    """Drops what the process, C++ libraries included, writes to its standard error; for notebooks.

    TensorFlow reports graphics cards that it did not find while it is being imported.
    """
    kept = os.dup(2)
    try:
        with open(os.devnull, "w") as nowhere:
            os.dup2(nowhere.fileno(), 2)
        yield
    finally:
        os.dup2(kept, 2)
        os.close(kept)


def _batched(circuit: Any, qubits: Any, symbols: Any, values: np.ndarray, observables: Any) -> np.ndarray:
    from qfl_explore.simulation.batched import run_program
    from qfl_explore.simulation.program import translate

    program = translate(circuit, qubits, symbols, (), observables)
    return run_program(program, values, np.zeros(0), "float64")


def _cirq(circuit: Any, qubits: Any, symbols: Any, values: np.ndarray, observables: Any) -> np.ndarray:
    simulator = cirq.Simulator(dtype=np.complex128)
    place = {qubit: i for i, qubit in enumerate(qubits)}
    rows = []
    for resolver in _resolvers(symbols, values):
        state = simulator.simulate(circuit, resolver, qubit_order=qubits).final_state_vector
        rows.append(
            [o.expectation_from_state_vector(state, place, check_preconditions=False).real for o in observables]
        )
    return np.array(rows).reshape(len(values), len(observables))


def _qsim(circuit: Any, qubits: Any, symbols: Any, values: np.ndarray, observables: Any) -> np.ndarray:
    import qsimcirq

    simulator = qsimcirq.QSimSimulator({"t": 1})
    sweep = list(_resolvers(symbols, values))
    found = simulator.simulate_expectation_values_sweep(circuit, list(observables), sweep, qubit_order=list(qubits))
    return np.real(found)


def _tfq(circuit: Any, qubits: Any, symbols: Any, values: np.ndarray, observables: Any) -> np.ndarray:
    from qfl_explore.simulation.tfq import import_tfq, serialisable

    tf, tfq = import_tfq()
    program = tfq.convert_to_tensor([serialisable(circuit)])
    paulis = tfq.convert_to_tensor([list(observables)])
    names = tf.constant([symbol.name for symbol in symbols])
    numbers = tf.constant(values, tf.float32)
    n_batch = len(values)
    return tfq.get_expectation_op()(tf.tile(program, [n_batch]), names, numbers, tf.tile(paulis, [n_batch, 1])).numpy()


def _resolvers(symbols: Sequence[sympy.Symbol], values: np.ndarray) -> Any:
    names = [symbol.name for symbol in symbols]
    return (cirq.ParamResolver(dict(zip(names, row, strict=True))) for row in values.tolist())


_RUNNERS: dict[str, Callable[..., np.ndarray]] = {"batched": _batched, "cirq": _cirq, "qsim": _qsim, "tfq": _tfq}
