"""Wine (UCI 109): thirteen measures of wines of three growers, shipped inside scikit-learn."""

from __future__ import annotations

from qfl_explore.datasets.base import MultimodalData, standardise, stratified_split
from qfl_explore.datasets.tables import grouped

#: Our grouping into what one laboratory method would give together.
MODALITIES: dict[str, tuple[str, ...]] = {
    "body and minerals": ("alcohol", "malic_acid", "ash", "alcalinity_of_ash", "magnesium"),
    "phenols": ("total_phenols", "flavanoids", "nonflavanoid_phenols", "proanthocyanins"),
    "colour and proline": ("color_intensity", "hue", "od280/od315_of_diluted_wines", "proline"),
}


def load(seed: int = 0, standardised: bool = True) -> MultimodalData:
    """178 wines of three growers in three groups of measures; no network.

    The grouping into modalities is ours. The data set is small and easy: differences between methods are
    mostly noise.

    Args:
        seed: of the stratified split into 60 % training, 20 % validation, 20 % test.
        standardised: whether to standardise with the training part's mean and spread.

    Returns:
        Data with 5, 4 and 4 features.
    """
    from sklearn.datasets import load_wine

    bunch = load_wine()
    data = MultimodalData(
        name="wine",
        title="Wine",
        features=grouped(bunch.data, list(bunch.feature_names), MODALITIES),
        labels=bunch.target,
        split=stratified_split(bunch.target, seed),
        modality_names=tuple(MODALITIES),
        feature_names=tuple(tuple(name.replace("_", " ") for name in names) for names in MODALITIES.values()),
        units=tuple(("not given",) * len(names) for names in MODALITIES.values()),
        class_names=("grower 1", "grower 2", "grower 3"),
        source="S. Aeberhard, M. Forina: UCI Machine Learning Repository, doi:10.24432/C5PC7J, as shipped with "
        "scikit-learn",
        licence="CC BY 4.0",
        seed=seed,
        notes=("The grouping into three modalities is ours.",),
    )
    return standardise(data) if standardised else data
