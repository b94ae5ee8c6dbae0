"""The variants of cross-attention mid-fusion, their sizes and their parameters: no TensorFlow."""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Sequence

from qfl_explore.baselines import check_reach, encoder_weights
from qfl_explore.circuits.hardware_efficient import MAX_QUBITS, HardwareEfficientConfig
from qfl_explore.config import Settings
from qfl_explore.errors import check_int, check_option, invalid

#: Word of a variant, and what people call it.
VARIANTS: dict[str, str] = {
    "quantum_only": "Quantum branch only",
    "classical_only": "Classical branch only",
    "concatenation": "Both side by side (residual hybrid)",
    "classical_to_quantum": "Classical features ask quantum tokens",
    "quantum_to_classical": "Quantum tokens ask classical features",
    "bidirectional": "Attention in both directions",
    "dense_tokens": "Control: tokens of a dense layer instead of the circuit",
}
#: Variant -> directions of attention in it.
DIRECTIONS: dict[str, tuple[str, ...]] = {
    "classical_to_quantum": ("classical_to_quantum",),
    "quantum_to_classical": ("quantum_to_classical",),
    "bidirectional": ("classical_to_quantum", "quantum_to_classical"),
    "dense_tokens": ("classical_to_quantum",),
}
ENCODERS_OF_BRANCHES = ("shared", "separate")
#: Layer normalisation of two numbers leaves their order only; from four on it leaves something to say.
SMALLEST_WIDTH = 4


#: Features are turned into angles in (-REACH, REACH), radians: the two ends are half a period apart. A rotation that
#: nothing controls has period 2π in all that is measured, so that the ends of (-π, π) would be one state, and encoders
#: that saturate would say nothing.
REACH = math.pi / 2


@dataclasses.dataclass(frozen=True, kw_only=True)
class CrossAttentionOptions(Settings):
    """What may be chosen about cross-attention mid-fusion beside the data.

    Source: branches, ≤ 9 qubits, a hardware-efficient ansatz, quantum-derived tokens, attention with a
    residual connection and the variants are arXiv:2512.19180's; every size, the control ``dense_tokens``
    and whatever else stands here is our construction, as the paper's settings are not known to us.

    Args:
        variant: one of ``VARIANTS``.
        width: d, numbers of a token inside attention; 4 or more.
        n_heads: of attention; must divide the width.
        branches: ``shared``: both branches read the encoders' D features a modality (as all other fusions
            do); ``separate``: the quantum branch has encoders of its own.
        reach: largest angle of the quantum branch's features, radians; above 0, at most π.
        circuit: of the quantum branch.

    Raises:
        TypeError: a setting is of the wrong kind.
        ValueError: a setting is out of range or unknown.
    """

    variant: str = "classical_to_quantum"
    width: int = 8
    n_heads: int = 1
    branches: str = "shared"
    reach: float = REACH
    circuit: HardwareEfficientConfig = dataclasses.field(default_factory=HardwareEfficientConfig)

    def __post_init__(self) -> None:
        check_option("variant", self.variant, VARIANTS)
        check_option("branches", self.branches, ENCODERS_OF_BRANCHES)
        check_int("width", self.width, SMALLEST_WIDTH)
        check_reach(self.reach)
        check_int("n_heads", self.n_heads, 1)
        if self.width % self.n_heads:
            raise invalid("n_heads does not divide the width", f"a divisor of {self.width}", f"{self.n_heads}")

    @property
    def uses_classical(self) -> bool:
        """Whether there is a classical branch in the model."""
        return self.variant != "quantum_only"


def token_parameters(n_features: int, options: CrossAttentionOptions) -> int:
    """Parameters that make the tokens' numbers from the quantum branch's features.

    The control's dense layer is as large as its inputs and outputs ask for; it usually has more than the circuit.
    """
    circuit = options.circuit
    if options.variant == "dense_tokens":
        return (circuit.n_qubits + 1) * circuit.n_qubits * circuit.token_size
    return circuit.n_weights


def cross_attention_parameters(
    n_measures: Sequence[int], feature_dim: int, columns: int, options: CrossAttentionOptions, encoder: str = "dense"
) -> int:
    """All parameters of `cross_attention_model`, in closed form.

    >>> cross_attention_parameters((5, 5, 3), 2, 3, CrossAttentionOptions(width=4))
    259
    """
    m, n, d = len(n_measures), options.circuit.n_qubits, options.width
    shared = encoder_weights(n_measures, feature_dim, encoder)
    total, has_tokens = shared, options.variant != "classical_only"
    if has_tokens:
        if options.branches == "separate" and options.uses_classical:
            total += shared
        total += (m * feature_dim + 1) * n + token_parameters(n, options)
        total += (options.circuit.token_size + 1) * d + n * d
    if options.uses_classical:
        total += (feature_dim + 1) * d + m * d
    directions = DIRECTIONS.get(options.variant, ())
    total += len(directions) * (4 * (d + 1) * d + 2 * d)
    rows = {"classical_to_quantum": m, "quantum_to_classical": n}
    tokens = sum(rows[name] for name in directions) or m * options.uses_classical + n * has_tokens
    return total + (tokens * d + 1) * columns


def matched_width(
    n_measures: Sequence[int], feature_dim: int, columns: int, options: CrossAttentionOptions, budget: int, encoder: str
) -> int:
    """The smallest width that the number of heads divides and with which the model has at least ``budget`` parameters.

    Raises:
        ValueError: no width up to 512 is enough.
    """
    first = math.ceil(SMALLEST_WIDTH / options.n_heads) * options.n_heads
    for width in range(first, 513, options.n_heads):
        sized = options.replace(width=width)
        if cross_attention_parameters(n_measures, feature_dim, columns, sized, encoder) >= budget:
            return width
    raise invalid("no width meets the budget", "a width up to 512", f"{budget} parameters")


def natural_qubits(n_features: int) -> int:
    """One qubit a feature, at most nine."""
    return min(MAX_QUBITS, max(2, n_features))
