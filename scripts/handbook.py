"""Hooks of the handbook's generator (`mkdocs.yml`): files from outside docs/, API pages, links, formulas.

Links in Markdown are written so that they work where the files lie (`../CONTRIBUTING.md`); here they become
links of the site. A link to a file that the site does not have stays as it is, and the strict build ends with it.
"""

from __future__ import annotations

import html
import posixpath
import re
from pathlib import Path
from typing import Any

from latex2mathml.converter import convert
from markdown import Extension, Markdown
from markdown.preprocessors import Preprocessor
from mkdocs.structure.files import File

ROOT = Path(__file__).resolve().parents[1]
#: File in the tree -> its place in the site.
OUTSIDE = {
    "CHANGELOG.md": "changelog.md",
    "CONTRIBUTING.md": "contributing.md",
    "THIRD_PARTY.md": "third_party.md",
    "data/README.md": "data_folder.md",
    "LICENSE": "LICENSE.txt",
    "CITATION.cff": "CITATION.cff.txt",
    **{f"notebooks/{path.name}": f"notebooks/{path.name}" for path in sorted((ROOT / "notebooks").glob("*.ipynb"))},
}
#: Page -> what it lists, in the order of the imports; a folder stands for all its modules.
REFERENCE = {
    "Settings": ("config", "errors", "ranges", "scalers"),
    "Circuits": ("circuits",),
    "Theory": ("theory",),
    "Engines": ("simulation",),
    "Layers and training": ("layers", "readout", "optimizers", "training"),
    "Data sets": ("datasets",),
    "Baselines": ("baselines",),
    "Siblings": ("siblings",),
    "Experiments": ("experiments",),
    "Results and sweeps": ("results", "sweeps"),
    "Study": ("study",),
    "Teaching": ("teaching",),
    "Load test": ("load",),
    "Pictures": ("plots",),
    "Pages": ("dashboards",),
}
#: In the search, chapters come before the reference.
_LATER = "---\nsearch:\n  boost: 0.2\n---\n\n"
_LINK = re.compile(r"(?<=\]\()([^)\s#]+)(#[^)\s]*)?(?=\))")
_FORMULA = re.compile(r'<(span|div) class="arithmatex">\\[(\[](.*?)\\[)\]]</\1>', re.DOTALL)


class Doctests(Extension):
    """Examples in docstrings (``>>> f(1)``) become blocks of code, as they are written without fences."""

    def extendMarkdown(self, md: Markdown) -> None:
        """Called by the library; before fences are looked for."""
        md.preprocessors.register(_Fence(md), "doctests", 60)


class _Fence(Preprocessor):
    def run(self, lines: list[str]) -> list[str]:
        done, inside, fenced = [], "", False
        for line in [*lines, ""]:
            stripped = line.lstrip()
            fenced ^= stripped.startswith("```")
            if stripped.startswith(">>> ") and not inside and not fenced:
                inside = line[: len(line) - len(stripped)] + "```"
                done += ["", f"{inside}pycon"]
            if inside and not stripped:
                done.append(inside)
                inside = ""
            done.append(line)
        return done


def reference_pages() -> dict[str, str]:
    """Title -> place in the site."""
    return {title: f"reference/{title.lower().replace(' ', '_')}.md" for title in REFERENCE}


def modules_of(name: str) -> list[str]:
    """The public modules of a package with a docstring, as dotted names."""
    place = ROOT / "qfl_explore" / name
    if not place.is_dir():
        return [f"qfl_explore.{name}"]
    files = [path for path in sorted(place.rglob("*.py")) if path.stem == "__init__" or not path.stem.startswith("_")]
    full = [path for path in files if '"""' in path.read_text(encoding="utf-8")[:20]]
    return [".".join(path.relative_to(ROOT).with_suffix("").parts).removesuffix(".__init__") for path in full]


def on_config(config: Any) -> Any:
    """Fills the navigation's entry for the reference, and lets examples in docstrings be code."""
    config["markdown_extensions"].append(Doctests())
    pages = [{title: place} for title, place in reference_pages().items()]
    for entry in config["nav"]:
        if "Reference" in entry:
            entry["Reference"] = ["reference/index.md", *pages]
    return config


def on_files(files: Any, config: Any) -> Any:
    """Adds what lies outside docs/, and the API pages."""
    for source, place in OUTSIDE.items():
        files.append(File.generated(config, place, abs_src_path=str(ROOT / source)))
    for title, place in reference_pages().items():
        parts = [f"::: {module}" for name in REFERENCE[title] for module in modules_of(name)]
        files.append(File.generated(config, place, content=f"{_LATER}# {title}\n\n" + "\n\n".join(parts) + "\n"))
    lines = [f"- [{title}]({place.removeprefix('reference/')})" for title, place in reference_pages().items()]
    text = (
        "# Reference\n\nFrom the docstrings of the package, in the order of its imports.\n\n" + "\n".join(lines) + "\n"
    )
    files.append(File.generated(config, "reference/index.md", content=text))
    return files


def on_page_markdown(markdown: str, page: Any, **_: Any) -> str:
    """Turns links between files of the tree into links of the site."""
    sources = {place: source for source, place in OUTSIDE.items()}
    here = posixpath.dirname(sources.get(page.file.src_uri, f"docs/{page.file.src_uri}"))
    start = posixpath.dirname(page.file.src_uri)

    def moved(match: re.Match[str]) -> str:
        target, anchor = match.group(1), match.group(2) or ""
        if re.match(r"[a-z]+:|/", target):
            return match.group()
        place = posixpath.normpath(posixpath.join(here, target))
        place = "docs/index.md" if place == "README.md" else place
        inside = OUTSIDE.get(place, place.removeprefix("docs/") if place.startswith("docs/") else "")
        return posixpath.relpath(inside, start or ".") + anchor if inside else match.group()

    return _LINK.sub(moved, markdown)


def on_page_content(content: str, **_: Any) -> str:
    """Formulas as MathML, which browsers draw themselves."""

    def drawn(match: re.Match[str]) -> str:
        display = "block" if match.group(1) == "div" else "inline"
        return convert(html.unescape(match.group(2)).strip(), display=display)

    return _FORMULA.sub(drawn, content)
