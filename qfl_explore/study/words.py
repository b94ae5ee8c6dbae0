"""What the report says in sentences, made from the numbers."""

from __future__ import annotations

import collections
import math
from collections.abc import Mapping, Sequence

import numpy as np

from qfl_explore.experiments.intervals import t_interval
from qfl_explore.experiments.multimodal_config import METHODS, QUANTUM
from qfl_explore.experiments.multimodal_summary import overlap_of
from qfl_explore.study.gather import Point
from qfl_explore.study.plan import Part
from qfl_explore.study.tables import NAMES, better, ends, markdown, number, values_of, with_ends

#: Points of every part, by the part's name.
Found = Mapping[str, Sequence[Point]]


def main_points(planned: Sequence[Part], found: Found) -> list[tuple[Part, Point]]:
    """Tables of all methods that have a result for the quantum layer and a rival."""
    pairs = [(part, point) for part in planned if part.section == "main" for point in found.get(part.name, ())]
    return [(part, point) for part, point in pairs if point.summary["paired"]]


def headline(planned: Sequence[Part], found: Found) -> str:
    """How often the quantum layer was better than, worse than or not to be told from the best classical method."""
    points = main_points(planned, found)
    if not points:
        return "Nothing is computed yet."
    verdicts = collections.Counter(point.summary["verdict"] for _, point in points)
    wins = [part.title for part, point in points if point.summary["verdict"] == "wins"]
    n = len(points)
    text = (
        f"Against the best classical method of each table the Quantum Fusion Layer was better in "
        f"{verdicts['wins']} of {n} tables, worse in {verdicts['loses']}, and could not be told apart in "
        f"{verdicts['undecided']} (5 % after Holm's adjustment; on an official test part also over its samples)."
    )
    text += f" It was better on: {'; '.join(wins)}." if wins else " **It won nowhere.**"
    behind = sum(_gap(point, point.summary["best_classical"]) < 0 for _, point in points)
    text += f" In the mean score it was behind the best classical method in {behind} of {n} tables."
    return text


def _gap(point: Point, method: str) -> float:
    """Quantum minus a method in the primary score, positive where quantum is better; NaN where there is no pair."""
    pair = point.pair(method)
    return better(point.summary["primary"]) * pair["difference"] if pair else math.nan


def head_to_head(planned: Sequence[Part], found: Found) -> str:
    """For every classical method: tables in which the quantum layer was better, worse, undecided."""
    points = main_points(planned, found)
    rows = []
    for method in METHODS:
        outcomes = [point.pair(method)["outcome"] for _, point in points if point.pair(method)]
        if not outcomes:
            continue
        count = collections.Counter(outcomes)
        ahead = sum(
            better(p.summary["primary"]) * p.pair(method)["difference"] > 0 for _, p in points if p.pair(method)
        )
        best = sum(point.summary["best_classical"] == method for _, point in points)
        rows.append([METHODS[method], *(f"{count[name]}" for name in ("wins", "loses", "undecided")), f"{ahead}"])
        rows[-1] += [f"{best}", f"{len(outcomes)}"]
    header = ["the Quantum Fusion Layer against", "better", "worse", "undecided", "ahead in the mean"]
    return markdown([*header, "best classical in", "tables"], rows)


def overview(planned: Sequence[Part], found: Found) -> str:
    """One row a table: the quantum layer, the best classical method, the difference, and what it was decided to be."""
    rows = []
    for part, point in main_points(planned, found):
        primary, best = point.summary["primary"], point.summary["best_classical"]
        digits = 3 if primary == "auc" else 2
        mine, rival, pair = point.method(QUANTUM), point.method(best), point.pair(best)
        interval = ends(pair["difference_low"], pair["difference_high"], digits)
        words = {"wins": "better", "loses": "worse", "undecided": "undecided"}[pair["outcome"]]
        rows.append([f"[{part.title}](#{anchor(part.title)})", NAMES[primary], number(mine[primary], digits)])
        rows[-1] += [f"{number(rival[primary], digits)} ({METHODS[best]})", number(pair["difference"], digits)]
        rows[-1] += [interval, f"{pair['n_better']} of {pair['n_seeds']}", words]
    header = ["data", "score", "quantum", "best classical", "difference", "95 %", "seeds for quantum", "quantum is"]
    return (
        markdown(header, rows)
        + "\n\nOf an MAE less is better: there a positive difference means that quantum is worse."
    )


def anchor(title: str) -> str:
    """Of a heading, as GitHub makes it.

    >>> anchor("PTB-XL, 12 leads")
    'ptb-xl-12-leads'
    """
    kept = "".join(letter for letter in title.lower() if letter.isalnum() or letter in " -")
    return kept.replace(" ", "-")


def change_between(one: Point, other: Point, method: str) -> str:
    """How a method's score changed from one point to another, seed by seed: a number with its interval.

    The interval is over seeds, or over test samples where all seeds share an official test part.
    """
    primary = one.summary["primary"]
    digits = 3 if primary == "auc" else 2
    tables = [point.scores[point.scores["method"] == method].set_index("seed") for point in (one, other)]
    differences = (tables[1][primary] - tables[0][primary]).dropna()
    if differences.empty:
        return ""
    count = f"{len(differences)} seed{'' if len(differences) == 1 else 's'}"
    if one.summary["same_test_part"]:
        drawn = [np.mean([table.loc[seed, "draws"] for seed in differences.index], axis=0) for table in tables]
        low, high = np.nanquantile(drawn[1] - drawn[0], (0.025, 0.975))
        count += ", interval over test samples"
    else:
        interval = t_interval(differences.to_numpy(), overlap=overlap_of(one.scores))
        low, high = interval.low, interval.high
    value = f"{differences.mean():+.{digits}f} {ends(low, high, digits)}".strip()
    return f"{value} ({count})"


def changes(points: Sequence[Point], methods: Sequence[str], first: int = 0) -> list[str]:
    """A sentence a method: from the first point to the last."""
    known = [point for point in points if point.n_seeds]
    if len(known) < 2:
        return []
    one, other = known[first], known[-1]
    found = []
    for method in methods:
        text = change_between(one, other, method) if {method} <= {*one.methods} & {*other.methods} else ""
        if text:
            name = NAMES[one.summary["primary"]]
            found.append(f"{METHODS[method]}, {values_of(one)} to {values_of(other)}: {name} changes by {text}.")
    return found


def best_degree(points: Sequence[Point]) -> str:
    """At which P the quantum layer's mean is best."""
    known = [point for point in points if point.n_seeds and QUANTUM in point.methods]
    if not known:
        return ""
    primary = known[0].summary["primary"]
    means = [better(primary) * point.method(QUANTUM)[primary] for point in known]
    best = known[int(np.argmax(means))]
    return f"The quantum layer's mean is best at {values_of(best)}; the test part was looked at to say this."


def effort(planned: Sequence[Part], found: Found) -> str:
    """Whether more tuning for all methods changes what came out."""
    usual = {(part.dataset, point.about.get("n_modalities")): point for part, point in main_points(planned, found)}
    rows = []
    for part in (part for part in planned if part.section == "effort"):
        for point in found.get(part.name, ()):
            before = usual.get((part.dataset, point.about.get("n_modalities")))
            if before is None or not point.summary["paired"]:
                continue
            for label, shown in (("usual", before), ("more", point)):
                best = shown.summary["best_classical"]
                pair, primary = shown.pair(best), shown.summary["primary"]
                rows.append([part.title.split(":")[0], label, number(shown.method(QUANTUM)[primary])])
                rows[-1] += [f"{number(shown.method(best)[primary])} ({METHODS[best]})"]
                rows[-1] += [f"{number(pair['difference'])} {ends(pair['difference_low'], pair['difference_high'])}"]
                rows[-1] += [
                    f"{pair['n_seeds']}",
                    {"wins": "better", "loses": "worse"}.get(pair["outcome"], "undecided"),
                ]
    header = ["data", "tuning", "quantum", "best classical", "difference", "seeds", "quantum is"]
    return markdown(header, rows) if rows else ""


def about_ablation(part: Part, points: Sequence[Point]) -> list[str]:
    """What an ablation says: changes with intervals, and the best degree."""
    methods = [QUANTUM, *(name for name in ("linear", "mlp", "concat") if name in points[0].methods)]
    if part.section == "degree":
        third = next((i for i, point in enumerate(points) if point.values.get("degree") == 3), 0)
        return [*changes(points, (QUANTUM,)), *changes(points, (QUANTUM,), third), best_degree(points)]
    if part.section == "measurement":
        return []
    return changes(points, methods)


def low_rank(planned: Sequence[Part], found: Found) -> list[str]:
    """Both starts of low-rank fusion after training, few modalities and many."""
    lines = []
    for part in (part for part in planned if part.section == "modalities"):
        for point in found.get(part.name, ()):
            pair = [point.method(f"low_rank_{start}") for start in ("reference", "near_one")]
            if all(pair):
                primary = point.summary["primary"]
                digits = 3 if primary == "auc" else 2
                values = " and ".join(with_ends(row, primary, digits) for row in pair)
                place = f"{part.title.lower()}, {values_of(point)}"
                lines.append(f"Trained, {place}: {NAMES[primary]} {values} (reference start and start near 1).")
    return lines


def conclusions(planned: Sequence[Part], found: Found) -> list[str]:
    """What follows from the numbers, a sentence or two each."""
    lines = [_about_wins(planned, found), _about_controls(planned, found), _about_scaling(found)]
    lines += [_about_degree(planned, found), _about_effort(planned, found), _about_low_rank(found)]
    return [line for line in lines if line]


def _about_wins(planned: Sequence[Part], found: Found) -> str:
    points = main_points(planned, found)
    wins = [part.title for part, point in points if point.summary["verdict"] == "wins"]
    if not points:
        return ""
    if wins:
        return f"The quantum layer is better than every classical method on: {'; '.join(wins)}. Elsewhere it is not."
    return (
        f"On none of these {len(points)} tables is the quantum layer better than the best classical method. "
        "We found no case for using it on such data for its scores."
    )


def _about_controls(planned: Sequence[Part], found: Found) -> str:
    """Against methods of the same kind: what the circuit adds where a dense layer or another fusion could stand."""
    said = []
    for method in ("concat", "graph", "tensor", "bilinear", "low_rank_reference", "low_rank_near_one"):
        outcomes = [p.pair(method)["outcome"] for _, p in main_points(planned, found) if p.pair(method)]
        if outcomes:
            count = collections.Counter(outcomes)
            said.append(f"{METHODS[method].lower()} {count['wins']}, {count['loses']} and {count['undecided']}")
    if not said:
        return ""
    return (
        "Against fusions with the same encoders and at least as many parameters, the numbers of tables in which it is "
        f"better, worse and undecided are: {'; '.join(said)}."
    )


def _about_scaling(found: Found) -> str:
    points = [point for point in found.get("sensors", ()) if QUANTUM in point.methods]
    if len(points) < 2:
        return ""
    few, many = points[0], points[-1]
    change = change_between(few, many, QUANTUM)
    qubits = few.about["n_qubits"], many.about["n_qubits"]
    return (
        f"It does take many modalities: {many.values['n_modalities']} sensors fit in {qubits[1]} qubits "
        f"({few.values['n_modalities']} in {qubits[0]}), and its error in mph changes by {change} on the way. Tensor "
        "fusion cannot hold so many; linear models, boosting, an MLP and a graph convolution can, too."
    )


def _about_degree(planned: Sequence[Part], found: Found) -> str:
    said = []
    for part in (part for part in planned if part.section == "degree"):
        points = {point.values["degree"]: point for point in found.get(part.name, ()) if point.n_seeds}
        if {3, 5} <= set(points):
            said.append(f"{part.title} {change_between(points[3], points[5], QUANTUM)}")
    return f"From P = 3 to P = 5 the quantum layer's AUC changes by: {'; '.join(said)}." if said else ""


def _about_effort(planned: Sequence[Part], found: Found) -> str:
    points = [point for part in planned if part.section == "effort" for point in found.get(part.name, ())]
    points = [point for point in points if point.summary["paired"] and point.n_seeds > 1]  # one seed decides nothing
    verdicts = [point.summary["verdict"] for point in points]
    if not verdicts:
        return ""
    count = collections.Counter(verdicts)
    changed = "does not change that" if not count["wins"] else "changes that in some"
    return (
        f"More tuning for everybody {changed}: with eight trials and longer training it is better than the best "
        f"classical method in {count['wins']} of {len(verdicts)} tables, worse in {count['loses']} and undecided in "
        f"{count['undecided']} ({', '.join(str(point.n_seeds) for point in points)} seeds)."
    )


def _about_low_rank(found: Found) -> str:
    points = [point for point in found.get("sensors", ()) if point.method("low_rank_near_one")]
    if not points or "persistence" not in points[-1].methods:
        return ""
    many = points[-1]
    rows = {name: many.method(name)["mae"] for name in ("persistence", "low_rank_reference", "low_rank_near_one")}
    return (
        "Before training, low-rank fusion's collapse with many modalities is a matter of its start. With "
        f"{many.values['n_modalities']} sensors its trained error is {rows['low_rank_reference']:.2f} mph from the "
        f"published code's start and {rows['low_rank_near_one']:.2f} mph from the start near 1; saying that nothing "
        f"changes costs {rows['persistence']:.2f} mph. "
        "Comparisons with many modalities should say which start they used."
    )
