"""The handbook's sources: every link leads to a file and an anchor, every name and command of ours exists.

`make docs` builds the pages and checks the site itself; this is what can be said without building.
"""

import ast
import functools
import importlib.util
import re
from pathlib import Path

import pandas as pd
import pytest
import yaml

ROOT = Path(__file__).resolve().parents[2]
PAGES = sorted(
    path
    for path in [*ROOT.glob("*.md"), ROOT / "data" / "README.md", *(ROOT / "docs").rglob("*.md")]
    if path.name not in ("THIRD_PARTY.md", "0000-template.md")
)
FENCE = re.compile(r"^( *)```.*?^\1```", re.DOTALL | re.MULTILINE)
LINK = re.compile(r"(?<!\!)\[[^\]]*\]\(([^)\s]+)\)|!\[[^\]]*\]\(([^)\s]+)\)")
NAME = re.compile(r"\bqfl_explore(?:\.[a-zA-Z_]\w*)+")
PLACE = re.compile(r"`((?:qfl_explore|tests|scripts|docs|notebooks)/[\w./-]+)`")
COMMAND = re.compile(r"qfl-explore ([a-z]+)((?: +[\w./=:-]+)*)")
named = pytest.mark.parametrize("page", PAGES, ids=lambda path: str(path.relative_to(ROOT)))


def slug(heading):
    """The anchor of a heading, as the generator (and GitHub, for these) makes it."""
    text = re.sub(r"\[([^\]]*)\]\([^)]*\)", r"\1", heading)
    return re.sub(r"[-\s]+", "-", re.sub(r"[^\w\s-]", "", text).strip().lower())


def anchors_of(path):
    text = FENCE.sub("", path.read_text(encoding="utf-8"))
    return {slug(line.lstrip("#")) for line in text.splitlines() if line.startswith("#")}


def exists(name):
    """Whether a dotted name is a module of ours, or something in one. Read, not run: many load TensorFlow."""
    parts = name.split(".")
    for end in range(len(parts), 0, -1):
        place = ROOT.joinpath(*parts[:end])
        file = place / "__init__.py" if place.is_dir() else place.with_suffix(".py")
        if file.is_file():
            return not parts[end:] or parts[end] in names_in(file)
    return False


@functools.cache
def names_in(file):
    """What a module defines, imports, or hands out later by name."""
    found = set()
    for node in ast.walk(ast.parse(file.read_text(encoding="utf-8"))):
        if isinstance(node, ast.FunctionDef | ast.ClassDef):
            found.add(node.name)
        elif isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store):
            found.add(node.id)
        elif isinstance(node, ast.Import | ast.ImportFrom):
            found |= {alias.asname or alias.name for alias in node.names}
        elif isinstance(node, ast.Dict | ast.List):
            words = node.keys if isinstance(node, ast.Dict) else node.elts
            found |= {word.value for word in words if isinstance(word, ast.Constant)}
    return found


@named
def test_every_relative_link_leads_somewhere(page):
    text = FENCE.sub("", page.read_text(encoding="utf-8"))
    for target in (match.group(1) or match.group(2) for match in LINK.finditer(text)):
        if re.match(r"[a-z]+:", target) or target.startswith("reference/"):
            continue  # the reference is generated, and `make docs` checks links to it
        place, _, anchor = target.partition("#")
        file = (page.parent / place).resolve() if place else page
        assert file.exists(), f"{target} leads nowhere"
        assert not anchor or file.suffix == ".png" or anchor in anchors_of(file), (
            f"{target} has no such anchor: {sorted(anchors_of(file))}"
        )


@named
def test_every_name_and_place_of_ours_exists(page):
    text = page.read_text(encoding="utf-8")
    assert not [name for name in set(NAME.findall(text)) if not exists(name.removesuffix(".py"))]
    if page.name != "CHANGELOG.md" and "adr" not in page.parts:  # these tell of the past
        assert not [place for place in set(PLACE.findall(text)) if not (ROOT / place).exists()]


def test_imports_in_examples_are_right():
    seen = 0
    for page in PAGES:
        for block in re.findall(r"^```python\n(.*?)^```", page.read_text(encoding="utf-8"), re.DOTALL | re.MULTILINE):
            for node in ast.walk(ast.parse(block)):
                if isinstance(node, ast.ImportFrom) and (node.module or "").split(".")[0] == "qfl_explore":
                    seen += 1
                    wrong = [alias.name for alias in node.names if not exists(f"{node.module}.{alias.name}")]
                    assert not wrong, f"{page.name}: from {node.module} import {wrong}"
    assert seen > 30


def test_the_readmes_pictures_are_there_small_and_shown_somewhere():
    pictures = {path.name: path.stat().st_size for path in (ROOT / "docs" / "pictures").glob("*.png")}
    shown = {
        name: page for page in PAGES for name in re.findall(r"pictures/(\w+\.png)", page.read_text(encoding="utf-8"))
    }
    assert set(shown) == set(pictures)
    assert not {name: size for name, size in pictures.items() if size > 150_000}
    readme = (ROOT / "README.md").read_text(encoding="utf-8")
    told = re.findall(r'(?:src|srcset)="([^"]+)"', readme)
    assert len(told) == 2 and all((ROOT / place).exists() for place in told)


def test_the_readmes_speeds_are_those_of_the_benchmark():
    table = pd.read_csv(ROOT / "docs" / "benchmark" / "results.csv").query("part == 'sizes'")
    engines = {"`batched`, ms": "batched", "JAX": "jax", "PennyLane on JAX": "pennylane-default"}
    engines |= {"TensorFlow XLA": "tensorflow-xla", "TensorCircuit": "tensorcircuit", "PyTorch": "torch"}
    engines |= {"TensorFlow Quantum": "tfq", "PennyLane Lightning": "pennylane-lightning"}
    lines = (ROOT / "README.md").read_text(encoding="utf-8").split("## How fast")[1].split("\n## ")[0].splitlines()
    head, _, *rows = [[cell.strip() for cell in line.strip("| ").split("|")] for line in lines if line.startswith("|")]
    assert len(rows) == 5 and head[1:] == list(engines)
    for row in rows:
        qubits, m, d, p = map(int, re.findall(r"\d+", row[0]))
        case = "n_qubits == @qubits and n_modalities == @m and feature_dim == @d and degree == @p and batch_size == 64"
        measured = table.query(case).set_index("engine").gradient_ms
        for name, told in zip(head[1:], row[1:], strict=True):
            here = measured[engines[name]] / (1.0 if name.endswith("ms") else measured["batched"])
            assert float(told.replace(",", "")) == pytest.approx(here, rel=0.05), (row[0], name)
    other = table[table.engine != "batched"].set_index(["n_modalities", "feature_dim", "degree", "batch_size"])
    ours = table[table.engine == "batched"].set_index(other.index.names)
    least = min((other[kind] / ours[kind].reindex(other.index)).min() for kind in ("forward_ms", "gradient_ms"))
    assert least == pytest.approx(1.13, abs=0.005), "the closest peer"


def test_every_command_and_option_in_the_pages_exists():
    from typer.main import get_command

    from qfl_explore.cli.commands import app

    commands = get_command(app).commands
    seen = set()
    for page in PAGES:
        for match in COMMAND.finditer(page.read_text(encoding="utf-8")):
            name, rest = match.group(1), match.group(2).split()
            if not re.search(rf"(`|^|\s|: )qfl-explore {name}", page.read_text(encoding="utf-8"), re.MULTILINE):
                continue
            assert name in commands, f"{page.name}: qfl-explore {name}"
            seen.add(name)
            if name in ("benchmark", "study"):
                continue  # what follows goes to another program
            known = {option for parameter in commands[name].params for option in parameter.opts} | {"--help"}
            words = [word.split("=")[0] for word in rest if word.startswith("--")]
            assert set(words) <= known, f"{page.name}: {match.group()}"
    assert seen >= {"serve", "sweep", "data", "doctor", "notebooks"}


def test_make_targets_in_the_pages_exist():
    targets = set(re.findall(r"^([a-z-]+):", (ROOT / "Makefile").read_text(), re.MULTILINE))
    told = {name: path.name for path in PAGES for name in re.findall(r"(?:`|^)make ([a-z-]+)", path.read_text(), re.M)}
    assert "docs" in told and set(told) <= targets, {name: told[name] for name in set(told) - targets}


def test_the_navigation_has_every_page():
    class Loader(yaml.SafeLoader):
        pass

    Loader.add_multi_constructor("!", lambda *_: None)
    config = yaml.load((ROOT / "mkdocs.yml").read_text(), Loader)

    def places(entry):
        if isinstance(entry, str):
            return [entry]
        return [place for value in (entry.values() if isinstance(entry, dict) else entry) for place in places(value)]

    outside = {"contributing.md", "changelog.md", "third_party.md", "data_folder.md"}
    listed = places(config["nav"])
    assert len(set(listed)) == len(listed)
    inside = {path.relative_to(ROOT / "docs").as_posix() for path in PAGES if "docs" in path.relative_to(ROOT).parts}
    assert set(listed) - outside == inside
    assert config["theme"]["font"] is False, "fonts would be fetched"


@pytest.mark.parametrize(
    ("body", "fault"),
    [
        ('<a href="b.html#there">', ""),
        ('<a href="c.html">', "leads nowhere"),
        ('<a href="b.html#nowhere">', "has no such anchor"),
        ('<a href="../../etc/passwd">', "leads nowhere"),
        ('<script src="https://example.org/x.js"></script>', "asks another site"),
        ('<a href="https://example.org">', ""),
    ],
)
def test_the_site_check_finds_what_is_wrong(tmp_path, body, fault):
    spec = importlib.util.spec_from_file_location("check_site", ROOT / "scripts" / "check_site.py")
    check = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(check)
    (tmp_path / "a.html").write_text(f"<html><body>{body}</body></html>")
    (tmp_path / "b.html").write_text('<h1 id="there">B</h1>')
    found = list(check.faults(tmp_path))
    assert len(found) == bool(fault) and all(fault in line for line in found)
