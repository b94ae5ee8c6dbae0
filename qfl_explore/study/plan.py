"""Which runs the study consists of: parts, each a data set with settings and what is varied.

No test score had a part in choosing what is here, and it is the same for all methods: the features a modality is
encoded into (D), the trials, the epochs and the patience.
"""

from __future__ import annotations

import dataclasses
import itertools
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from qfl_explore.datasets import DATASETS
from qfl_explore.errors import check_option
from qfl_explore.experiments import multimodal_ablations as ablations
from qfl_explore.experiments.multimodal import METHODS, MultimodalConfig
from qfl_explore.sweeps.grid import build

PRESETS: dict[str, str] = {
    "quick": "two seeds, few epochs, small parts of the data: whether everything works; says nothing",
    "standard": "the committed report: five to ten seeds, up to 150 epochs, three trials a method",
}
SECTIONS: dict[str, str] = {
    "main": "All methods on every data set",
    "modalities": "How many modalities are seen",
    "few_shot": "How many training samples there are",
    "degree": "The degree P",
    "measurement": "What is measured",
    "size": "Larger models for everybody",
    "effort": "More tuning for everybody",
}
#: Sections and seeds in the order in which they are computed; early rounds give every table some numbers.
ROUNDS: tuple[tuple[tuple[str, ...], tuple[int, ...]], ...] = (
    (("main",), (0, 1, 2)),
    (("modalities", "few_shot", "degree", "measurement"), (0, 1, 2)),
    (("main",), (3, 4)),
    (("effort", "size"), (0, 1, 2)),
    (("main",), (5, 6, 7, 8, 9)),
    (tuple(SECTIONS), (3, 4)),
    (tuple(SECTIONS), (5, 6, 7, 8, 9)),
)
TRIALS = {"learning_rates": (0.005, 0.02, 0.08), "penalties": (0.001, 0.03, 1.0)}
MORE_TRIALS = {
    "learning_rates": (0.001, 0.002, 0.005, 0.01, 0.02, 0.04, 0.08, 0.16),
    "penalties": (0.0003, 0.001, 0.003, 0.01, 0.03, 0.1, 1.0, 10.0),
}
COMMON = {"epochs": 150, "patience": 20, **TRIALS}
#: Where only what the circuit does is varied: it, a dense layer in its place, and the simplest of all.
FEW = ("linear", "concat", "quantum")
TUNED = ("linear", "boosting", "mlp", "concat", "quantum")
CHEAP = ("persistence", "linear", "mlp", "concat", "low_rank_reference", "low_rank_near_one", "graph", "quantum")


@dataclasses.dataclass(frozen=True, kw_only=True)
class Part:
    """A table of the report.

    Attributes:
        name: unique.
        section: one of ``SECTIONS``.
        title: above the table.
        dataset: one of ``DATASETS``.
        base: settings of `MultimodalConfig` that differ from its defaults, without seeds.
        axes: what is varied, with its values.
        last: settings that the last point has in place of its own: those of another part, whose runs it shares.
        n_seeds: seeds 0 to n_seeds - 1.
        note: what a reader must know; empty for nothing.
    """

    name: str
    section: str
    title: str
    dataset: str
    base: Mapping[str, Any] = dataclasses.field(default_factory=dict)
    axes: Mapping[str, Sequence[Any]] = dataclasses.field(default_factory=dict)
    last: Mapping[str, Any] = dataclasses.field(default_factory=dict)
    n_seeds: int = 5
    note: str = ""

    def __post_init__(self) -> None:
        check_option("section", self.section, SECTIONS)
        check_option("dataset", self.dataset, DATASETS)

    def points(self) -> Iterator[dict[str, Any]]:
        """The varied settings of each point."""
        for values in itertools.product(*self.axes.values()):
            yield dict(zip(self.axes, values, strict=True))

    def config(self, point: Mapping[str, Any], seed: int) -> MultimodalConfig:
        """Of one point and one seed."""
        end = {name: values[-1] for name, values in self.axes.items()}
        shared = self.last if self.last and dict(point) == end else {}
        return build(MultimodalConfig, {"dataset": self.dataset, **self.base, **point, **shared, "seeds": (seed,)})

    def configs(self, seeds: Sequence[int]) -> list[MultimodalConfig]:
        """Of all points, for those of the seeds that the part has."""
        return [self.config(point, seed) for seed in seeds if seed < self.n_seeds for point in self.points()]


def parts(preset: str = "standard") -> tuple[Part, ...]:
    """All parts of a preset, whether their data are here or not, the most important first.

    Raises:
        ValueError: the preset is unknown.
    """
    if check_option("preset", preset, PRESETS) == "standard":
        return _standard()
    return tuple(_quick(part) for part in _standard() if part.section not in ("effort", "size"))


def _main(name: str, title: str, dataset: str, n_seeds: int = 5, note: str = "", **base: Any) -> Part:
    base = {**COMMON, **base}
    return Part(name=name, section="main", title=title, dataset=dataset, base=base, n_seeds=n_seeds, note=note)


#: An hour of 207 sensors is wide: fewer epochs, larger batches; early stopping comes long before.
TRAFFIC = {**COMMON, "epochs": 100, "patience": 10, "batch_size": 64, "feature_dim": 1, "change": True}
ECG = {**COMMON, "feature_dim": 2}
_CHANGE = "All methods predict the change from now, so that persistence is the answer 0."


def _standard() -> tuple[Part, ...]:
    return (
        _main("ptb_xl_12", "PTB-XL, 12 leads", "ptb_xl", 10, n_modalities=12),
        _main("ptb_xl_3", "PTB-XL, leads I, II and V2", "ptb_xl", 10, n_modalities=3),
        _main("cmu_mosi", "CMU-MOSI: words, voice and face", "cmu_mosi", feature_dim=4),
        _main("metr_la", "METR-LA, mean speed of 207 sensors", "metr_la", 3, _CHANGE, **TRAFFIC),
        _main("breast_cancer", "Breast cancer Wisconsin", "breast_cancer", feature_dim=4),
        _main("wine", "Wine", "wine", feature_dim=4),
        _main("steel_plates", "Steel plates faults", "steel_plates", feature_dim=4),
        _main("spoken_digits", "Spoken and written digits", "spoken_digits", feature_dim=4),
        _main("digits", "Handwritten digits, quarters", "digits", feature_dim=4),
        _main(
            "covtype", "Forest cover types", "covtype", note="1500 of the training cells.", feature_dim=4, n_train=1500
        ),
        _main(
            "fashion_mnist",
            "Fashion-MNIST, quarters",
            "fashion_mnist",
            note="1000 of the training images.",
            feature_dim=4,
            n_train=1000,
        ),
        *_ablations(),
        Part(
            name="size_ecg",
            section="size",
            title="PTB-XL, 12 leads",
            dataset="ptb_xl",
            base={**ECG, "n_modalities": 12, "methods": CHEAP[1:]},
            axes={"n_blocks": (1, 2, 4, 8)},
            n_seeds=3,
        ),
        _main(
            "ptb_xl_3_series",
            "PTB-XL, leads I, II and V2, raw signals",
            "ptb_xl",
            3,
            "Encoders are small convolutions over 1000 samples; logistic regression sees the samples as they are.",
            n_modalities=3,
            feature_dim=2,
            encoder="series",
            methods=(*FEW[:2], "low_rank_reference", "low_rank_near_one", "tensor", "bilinear", "graph", "quantum"),
        ),
        _main(
            "metr_la_all",
            "METR-LA, each of 207 sensors",
            "metr_la",
            2,
            f"{_CHANGE} Every fusion hands at most a few dozen numbers to a head with 621 columns.",
            **{**TRAFFIC, "target": "all", "methods": (*CHEAP, "tensor", "boosting")},
        ),
    )


def _ablations() -> tuple[Part, ...]:
    leads = {"n_modalities": ablations.MODALITIES["ptb_xl"]}
    sensors = {"n_modalities": (2, 12, 50, 207)}
    sizes = {"n_train": ablations.TRAINING_SIZES}
    few = {"methods": FEW}
    return (
        Part(name="leads", section="modalities", title="Leads", dataset="ptb_xl", base=ECG, axes=leads, n_seeds=5),
        Part(
            name="few_ecg",
            section="few_shot",
            title="PTB-XL, 12 leads",
            dataset="ptb_xl",
            base={**ECG, "n_modalities": 12, "methods": CHEAP[1:]},
            axes=sizes,
        ),
        Part(
            name="degree_ecg",
            section="degree",
            title="PTB-XL, 3 leads",
            dataset="ptb_xl",
            base={**ECG, "n_modalities": 3, **few},
            axes={"degree": ablations.DEGREES},
        ),
        Part(
            name="degree_cancer",
            section="degree",
            title="Breast cancer",
            dataset="breast_cancer",
            base={**COMMON, "feature_dim": 4, **few},
            axes={"degree": ablations.DEGREES},
        ),
        Part(
            name="measurement_ecg",
            section="measurement",
            title="PTB-XL, 3 leads",
            dataset="ptb_xl",
            base={**ECG, "n_modalities": 3, **few},
            axes={"measurement": ablations.MEASUREMENTS},
        ),
        Part(
            name="sensors",
            section="modalities",
            title="Sensors",
            dataset="metr_la",
            base={**TRAFFIC, "methods": CHEAP},
            axes=sensors,
            last={"n_modalities": None, "methods": tuple(METHODS)},
            n_seeds=3,
            note=f"The target is the mean speed of all 207 sensors throughout. {_CHANGE} M = 207 are the runs above.",
        ),
        Part(
            name="few_traffic",
            section="few_shot",
            title="METR-LA, 12 sensors",
            dataset="metr_la",
            base={**TRAFFIC, "n_modalities": 12, "batch_size": 32, "methods": CHEAP},
            axes=sizes,
        ),
        Part(
            name="measurement_cancer",
            section="measurement",
            title="Breast cancer",
            dataset="breast_cancer",
            base={**COMMON, "feature_dim": 4, **few},
            axes={"measurement": ablations.MEASUREMENTS},
        ),
        Part(
            name="effort_ecg",
            section="effort",
            title="PTB-XL, 12 leads: eight trials, up to 400 epochs, patience 40",
            dataset="ptb_xl",
            base={**ECG, "n_modalities": 12, "methods": TUNED, **MORE_TRIALS, "epochs": 400, "patience": 40},
            n_seeds=3,
        ),
        Part(
            name="effort_cancer",
            section="effort",
            title="Breast cancer: eight trials, up to 400 epochs, patience 40",
            dataset="breast_cancer",
            base={**COMMON, "feature_dim": 4, "methods": TUNED, **MORE_TRIALS, "epochs": 400, "patience": 40},
            n_seeds=3,
        ),
    )


def _quick(part: Part) -> Part:
    """The same with two seeds, few epochs, one or two values an axis and few training samples."""
    small = {"epochs": 8, "patience": 4, "learning_rates": (0.02,), "penalties": (0.03,)}
    base = {**part.base, **small}
    if "n_train" not in part.axes:
        base["n_train"] = 90
    axes = {name: (values[0], values[2]) for name, values in part.axes.items()}
    return dataclasses.replace(part, base=base, axes=axes, last={}, n_seeds=2)


def rounds(chosen: Sequence[Part]) -> Iterator[tuple[Part, list[MultimodalConfig]]]:
    """Everything in the order in which it is computed: all parts with the first seeds, then with more."""
    known: set[tuple[str, str]] = set()
    for sections, seeds in ROUNDS:
        for part in chosen:
            configs = part.configs(seeds) if part.section in sections else []
            configs = [config for config in configs if (part.name, config.run_id) not in known]
            known |= {(part.name, config.run_id) for config in configs}
            if configs:
                yield part, configs
