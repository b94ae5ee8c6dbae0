"""What ECG data sets share: names of the leads, and a few numbers that describe one lead."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from qfl_explore.errors import check_option, invalid

LEADS = ("I", "II", "III", "aVR", "aVL", "aVF", "V1", "V2", "V3", "V4", "V5", "V6")
#: Which leads stand for "so many": 3 as in a wearable plus one chest lead, 6 the limb leads.
LEAD_SETS = {1: ("II",), 3: ("I", "II", "V2"), 6: LEADS[:6], 12: LEADS}
_CANON = {lead.lower(): lead for lead in LEADS}

#: Name and unit of each number that `summary` gives; percentiles of the voltage and of its steps.
FEATURES: dict[str, str] = {
    "mean": "mV",
    "spread": "mV",
    "minimum": "mV",
    "5 % quantile": "mV",
    "median": "mV",
    "95 % quantile": "mV",
    "maximum": "mV",
    "mean step": "mV",
    "largest step": "mV",
}


def canonical(lead: str) -> str | None:
    """A lead's name in the usual spelling (``AVR`` becomes ``aVR``), or ``None``."""
    return _CANON.get(lead.lower())


def chosen_leads(leads: int | Sequence[str]) -> tuple[str, ...]:
    """Names of leads from a number (1, 3, 6, 12) or from names in any spelling.

    Raises:
        ValueError: the number has no set, a name is unknown or comes twice.
    """
    if isinstance(leads, int) and not isinstance(leads, bool):
        if leads not in LEAD_SETS:
            raise invalid("leads are not known", "1, 3, 6, 12 or a list of names", f"leads={leads}")
        return LEAD_SETS[leads]
    if isinstance(leads, str) or not isinstance(leads, Sequence):
        raise invalid("leads must be a number or a list", "12 or ['I', 'II']", f"leads={leads!r}", TypeError)
    names = tuple(check_option("lead", canonical(str(lead)) or str(lead), LEADS) for lead in leads)
    if not names or len(set(names)) < len(names):
        raise invalid("leads cannot be used", "one or more, each once", f"leads={list(leads)}")
    return names


def summary(signal: np.ndarray) -> np.ndarray:
    """Nine numbers a lead: mean, spread, quantiles, and how steep it is.

    Source: our construction.

    Args:
        signal: [N, samples] in mV.

    Returns:
        [N, 9] in mV.
    """
    signal = np.asarray(signal, dtype=np.float32)
    steps = np.abs(np.diff(signal, axis=1))
    quantiles = np.quantile(signal, (0.05, 0.5, 0.95), axis=1)
    columns = (
        signal.mean(axis=1),
        signal.std(axis=1),
        signal.min(axis=1),
        *quantiles,
        signal.max(axis=1),
        steps.mean(axis=1),
        steps.max(axis=1),
    )
    return np.stack([column.astype(np.float64) for column in columns], axis=1)
