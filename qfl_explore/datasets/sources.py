"""From where each data set is fetched, under which licence, and by which checksums it is known."""

from __future__ import annotations

import dataclasses

CC_BY = "https://creativecommons.org/licenses/by/4.0/"
GITHUB = "https://raw.githubusercontent.com"


@dataclasses.dataclass(frozen=True)
class Item:
    """One file of a source.

    Attributes:
        path: in the data set's folder.
        url: where it is; relative to the source's ``base``, or complete.
        checksum: ``sha256:…`` or ``md5:…``; empty where none is published.
    """

    path: str
    url: str = ""
    checksum: str = ""


@dataclasses.dataclass(frozen=True)
class Source:
    """How to get a data set.

    Attributes:
        base: start of the addresses, with a slash at the end.
        items: files to fetch, in this order.
        licence: its name.
        licence_url: its text.
        terms: what accepting means, in a sentence.
        size: about how many megabytes in all.
        listed: name of an item that lists more files with their SHA-256, as PhysioNet does; or empty.
        unpack: pattern of the members to take out of the archives among the items; or empty.
        into: folder for them.
        content: SHA-256 over names and checksums of the members that ``content_of`` matches; or empty.
        content_of: regular expression.
        note: what a reader should know before.
    """

    base: str
    items: tuple[Item, ...]
    licence: str
    licence_url: str
    terms: str
    size: float
    listed: str = ""
    unpack: str = ""
    into: str = ""
    content: str = ""
    content_of: str = ""
    note: str = ""


_ATTRIBUTION = "You may use and share them if you name the authors and the licence."

SOURCES: dict[str, Source] = {
    "ptb_xl": Source(
        base="https://physionet.org/files/ptb-xl/1.0.3/",
        items=(
            Item("LICENSE.txt"),
            Item(
                "scp_statements.csv",
                checksum="sha256:ad05b0b1fcae83bb1230755ad9cfc7c96f303feddc08a4a9ad5bdc9ca63bac8f",
            ),
            Item(
                "ptbxl_database.csv",
                checksum="sha256:cd9bf4e6445c5e022605857c4d6f90c90ff0e62df847da52efaebe94de786156",
            ),
            Item("SHA256SUMS.txt"),
        ),
        licence="CC BY 4.0",
        licence_url=CC_BY,
        terms=_ATTRIBUTION,
        size=530,
        listed="SHA256SUMS.txt",
        note="43,598 small files at 100 Hz; a limit of 500 records is 12 MB. The 500 Hz files are not fetched.",
    ),
    "metr_la": Source(
        base=f"{GITHUB}/",
        items=(
            Item(
                "los_speed.csv",
                "lehaifeng/T-GCN/219a2346f5bf68d54d91a948e7a41a08f9edc46b/data/los_speed.csv",
                "sha256:7b732d86ae32b2930595becba28aff39dacbfb2197e250fc0332e1744ce2cbf4",
            ),
            Item(
                "los_adj.csv",
                "lehaifeng/T-GCN/219a2346f5bf68d54d91a948e7a41a08f9edc46b/data/los_adj.csv",
                "sha256:7a6eb41e10677992b5af50f5ab187c6c05c5c3a92cb973950cfddbf857361e76",
            ),
            Item(
                "graph_sensor_locations.csv",
                "liyaguang/DCRNN/602afd9d767d3aa1c9b3eac51710d6aeee12c227/data/sensor_graph/graph_sensor_locations.csv",
                "sha256:eb8ea96e07358b45d0e4ba3b89c2673fa20c54af50150249e627389e749ade6f",
            ),
        ),
        licence="MIT",
        licence_url="https://github.com/liyaguang/DCRNN/blob/master/LICENSE",
        terms="You may use and share them if you keep the notice. T-GCN's repository names no licence for the data.",
        size=3.5,
        note="The first week. DCRNN's four months (metr-la.h5, adj_mx.pkl) are read too, if you put them there.",
    ),
    "cmu_mosi": Source(
        base=f"{GITHUB}/declare-lab/multimodal-deep-learning/111b401d867c14a1dcd930fd2b2ab58a5eca3f70/bc-LSTM/data/",
        items=(
            Item(
                "transcripts.csv",
                checksum="sha256:e7689e6d70720addd2a6b316419d245a68839c32b014ff426c406063ee777466",
            ),
            Item("text_train.csv"),
            Item("text_test.csv"),
            *(Item(f"{m}/{m}_{part}0.csv") for m in ("text", "audio", "video") for part in ("train", "test")),
        ),
        licence="research use",
        licence_url="http://multicomp.cs.cmu.edu/resources/cmu-mosi-dataset/",
        terms="For research; cite Zadeh et al. 2016 and, for these features, Poria et al. 2017.",
        size=12,
    ),
    "fashion_mnist": Source(
        base=f"{GITHUB}/zalandoresearch/fashion-mnist/master/data/fashion/",
        items=(
            Item("train-images-idx3-ubyte.gz", checksum="md5:8d4fb7e6c68d591d4c3dfef9ec88bf0d"),
            Item("train-labels-idx1-ubyte.gz", checksum="md5:25c81989df183df01b3e8a0aad5dffbe"),
            Item("t10k-images-idx3-ubyte.gz", checksum="md5:bef4ecab320f06d8554ea6380940ec79"),
            Item("t10k-labels-idx1-ubyte.gz", checksum="md5:bb300cfdad3c16e7a12a480ee83cd310"),
        ),
        licence="MIT",
        licence_url="https://github.com/zalandoresearch/fashion-mnist/blob/master/LICENSE",
        terms="You may use and share them if you keep the notice.",
        size=31,
    ),
    "spoken_digits": Source(
        base="https://codeload.github.com/Jakobovski/free-spoken-digit-dataset/zip/",
        items=(Item("fsdd.zip", "26eb9aaf76e81b692f806f9140c2d2777410d7a1"),),
        licence="CC BY-SA 4.0",
        licence_url="https://creativecommons.org/licenses/by-sa/4.0/",
        terms="You may use and share them if you name the authors and share what you make of them alike.",
        size=16,
        unpack="*/recordings/*.wav",
        into="recordings",
        content="sha256:718a922d7e9fc79f11ad0003f6951aaf3a988010f4860120230652be03de6040",
        content_of=r"_(\d|1\d)\.wav$",
    ),
    "steel_plates": Source(
        base="https://archive.ics.uci.edu/static/public/198/",
        items=(Item("steel_plates_faults.zip", "steel+plates+faults.zip"),),
        licence="CC BY 4.0",
        licence_url=CC_BY,
        terms=_ATTRIBUTION,
        size=0.2,
        unpack="*Faults*",
    ),
    "covtype": Source(
        base="https://ndownloader.figshare.com/files/",
        items=(
            Item(
                "covtype.data.gz",
                "5976039",
                "sha256:614360d0257557dd1792834a85a1cdebfadc3c4f30b011d56afee7ffb5b15771",
            ),
        ),
        licence="CC BY 4.0",
        licence_url=CC_BY,
        terms=_ATTRIBUTION,
        size=11,
    ),
}
