"""Checks a built site: every link and anchor leads somewhere, and no page asks anything of the network.

    python scripts/check_site.py build/handbook

It ends with code 1 and a line for each fault. Links to other sites are not followed.
"""

from __future__ import annotations

import functools
import sys
import urllib.parse
from collections.abc import Iterator
from html.parser import HTMLParser
from pathlib import Path

#: Tag and attribute that a browser fetches by itself, without a click.
FETCHED = {
    ("link", "href"),
    ("script", "src"),
    ("img", "src"),
    ("iframe", "src"),
    ("source", "src"),
    ("video", "src"),
    ("object", "data"),
}


class _Page(HTMLParser):
    """The anchors of a page, and what it points to: (tag, attribute, address)."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.anchors: set[str] = {"", "__skip"}
        self.targets: list[tuple[str, str, str]] = []
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        values = {name: value or "" for name, value in attrs}
        if tag == "link" and values.get("rel", "") in ("canonical", "prev", "next", "edit"):
            return
        self.anchors |= {values[name] for name in ("id", "name") if values.get(name)}
        self.targets += [(tag, name, values[name]) for name in ("href", "src", "data") if values.get(name)]


@functools.cache
def read(path: Path) -> _Page:
    """A page of the site."""
    return _Page(path.read_text(encoding="utf-8"))


def faults(site: Path) -> Iterator[str]:
    """A line for each fault."""
    pages = sorted(site.rglob("*.html"))
    if not pages:
        yield f"{site} has no pages. Expected: a built site. Received: an empty folder or none."
    for path in pages:
        for tag, attribute, address in read(path).targets:
            problem = fault_of(site, path, tag, attribute, address)
            if problem:
                yield f"{path.relative_to(site)}: {problem}: {address}"
    for path in sorted(site.rglob("*.css")):
        text = path.read_text(encoding="utf-8")
        if "url(http" in text or "url(//" in text or "@import" in text:
            yield f"{path.relative_to(site)}: a style asks another site"


def fault_of(site: Path, path: Path, tag: str, attribute: str, address: str) -> str:
    """What is wrong with one address of a page; empty where nothing is."""
    parts = urllib.parse.urlsplit(address)
    if parts.scheme in ("http", "https") or address.startswith("//"):
        return "asks another site by itself" if (tag, attribute) in FETCHED else ""
    if parts.scheme or (tag, attribute) == ("meta", "data"):
        return ""
    place = urllib.parse.unquote(parts.path)
    if path.name == "404.html" and place.startswith("/"):
        place = place.lstrip("/")
    target = (path.parent / place).resolve() if place else path
    target = target / "index.html" if target.is_dir() else target
    if site.resolve() not in target.resolve().parents or not target.is_file():
        return "leads nowhere"
    known = (
        not parts.fragment or target.suffix != ".html" or urllib.parse.unquote(parts.fragment) in read(target).anchors
    )
    return "" if known else "has no such anchor"


def main(arguments: list[str]) -> int:
    """Prints the faults; 1 where there are any."""
    found = list(faults(Path(arguments[0])))
    sys.stderr.write("".join(f"{line}\n" for line in found))
    return int(bool(found))


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:] or ["build/handbook"]))
