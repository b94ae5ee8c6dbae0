"""Breast cancer Wisconsin (diagnostic): ten measures of cell nuclei in three natural modalities."""

from __future__ import annotations

from qfl_explore.datasets.base import MultimodalData, standardise, stratified_split

MODALITIES = ("mean", "standard error", "worst")
#: The ten measures and their units. The image's scale is not published, hence "image unit".
MEASURES = {
    "radius": "image unit",
    "texture": "grey level",
    "perimeter": "image unit",
    "area": "image unit²",
    "smoothness": "1",
    "compactness": "1",
    "concavity": "1",
    "concave points": "1",
    "symmetry": "1",
    "fractal dimension": "1",
}


def load(seed: int = 0, standardised: bool = True) -> MultimodalData:
    """569 tumours, 357 benign and 212 malignant, shipped inside scikit-learn: no network.

    Ten measures of the nuclei in a fine-needle aspirate, each given as its mean over the
    image's nuclei, its standard error, and its worst (mean of the three largest values).
    These three are the modalities. They describe the same nuclei and are strongly related,
    so this is an easy data set for fusion. The class ``malignant`` is 1, the positive class
    (scikit-learn's own coding is the other way round).

    Args:
        seed: of the stratified split into 60 % training, 20 % validation, 20 % test.
        standardised: whether to standardise with the training part's mean and spread.

    Returns:
        Data with features [569, 10] for each of three modalities.
    """
    from sklearn.datasets import load_breast_cancer

    bunch = load_breast_cancer()
    labels = 1 - bunch.target
    data = MultimodalData(
        name="breast_cancer",
        title="Breast cancer Wisconsin (diagnostic)",
        features=tuple(bunch.data[:, 10 * m : 10 * (m + 1)] for m in range(3)),
        labels=labels,
        split=stratified_split(labels, seed),
        modality_names=MODALITIES,
        feature_names=tuple(tuple(f"{measure} ({modality})" for measure in MEASURES) for modality in MODALITIES),
        units=(tuple(MEASURES.values()),) * 3,
        class_names=("benign", "malignant"),
        source="W. Wolberg, O. Mangasarian, N. Street, W. Street: UCI Machine Learning Repository, "
        "doi:10.24432/C5DW2B, as shipped with scikit-learn",
        licence="CC BY 4.0",
        seed=seed,
    )
    return standardise(data) if standardised else data
