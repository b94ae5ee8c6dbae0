"""Imports point one way, and heavy packages stay where they belong."""

import ast
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
PACKAGE = ROOT / "qfl_explore"

#: Top-level modules that may show pictures; everything else is below them.
PICTURES = {"app", "dashboards", "plots"}
#: The one module beside them that knows Panel: it starts the server.
SERVER = PACKAGE / "cli" / "server.py"
PICTURE_PACKAGES = {
    "bokeh",
    "holoviews",
    "ipywidgets",
    "ipywidgets_bokeh",
    "jupyter_bokeh",
    "panel",
    "panel_material_ui",
}
TENSORFLOW = {"keras", "tensorflow", "tensorflow_quantum", "tf_keras"}
#: Never TensorFlow, not even inside a function …
NEVER_TENSORFLOW = {"circuits", "config", "errors", "optimizers", "plots", "readout", "results", "theory"}
#: … and these only inside a function, so that the first page does not wait for it.
LATE_TENSORFLOW = {"app", "dashboards", "experiments", "__init__", "warm"}

SOURCES = sorted(PACKAGE.rglob("*.py"))


def area(path: Path) -> str:
    return path.relative_to(PACKAGE).parts[0].removesuffix(".py")


def imported(tree: ast.AST, *, everywhere: bool) -> set[str]:
    """Top-level names of the packages imported; without ``everywhere``, not inside functions."""
    names: set[str] = set()
    nodes = [tree]
    while nodes:
        node = nodes.pop()
        if isinstance(node, ast.Import):
            names |= {alias.name.split(".")[0] for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.level == 0:
            names.add(node.module.split(".")[0])
        elif (
            isinstance(node, ast.Call)
            and getattr(node.func, "attr", "") in {"import_module", "__import__"}
            and everywhere
        ):
            names |= {arg.value.split(".")[0] for arg in node.args if isinstance(getattr(arg, "value", None), str)}
        if everywhere or not (
            isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.Lambda) or _typing_only(node)
        ):
            nodes += ast.iter_child_nodes(node)
    return names


def _typing_only(node: ast.AST) -> bool:
    return isinstance(node, ast.If) and "TYPE_CHECKING" in ast.dump(node.test)


def parse(path: Path) -> ast.Module:
    return ast.parse(path.read_text(), str(path))


def test_the_import_contracts_are_kept():
    # In a process of its own: it draws on the terminal, which closes the stream that pytest captures.
    code = "from importlinter.cli import lint_imports; raise SystemExit(lint_imports(no_cache=True))"
    done = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr


@pytest.mark.parametrize("path", SOURCES, ids=lambda path: str(path.relative_to(PACKAGE)))
def test_heavy_packages_stay_where_they_belong(path):
    tree, where = parse(path), area(path)
    if where not in PICTURES and path != SERVER:
        assert not imported(tree, everywhere=True) & PICTURE_PACKAGES
    if where in NEVER_TENSORFLOW:
        assert not imported(tree, everywhere=True) & TENSORFLOW
    if where in LATE_TENSORFLOW:
        assert not imported(tree, everywhere=False) & TENSORFLOW


@pytest.mark.parametrize("path", SOURCES, ids=lambda path: str(path.relative_to(PACKAGE)))
def test_a_module_stays_readable(path):
    n_lines = len(path.read_text().splitlines())
    assert n_lines <= 400, "split it into a folder"


@pytest.mark.parametrize(
    ("source", "everywhere", "expected"),
    [
        ("import panel.io", True, {"panel"}),
        ("from tensorflow.keras import layers", False, {"tensorflow"}),
        ("from . import base", True, set()),
        ("def f():\n    import tensorflow", False, set()),
        ("def f():\n    import tensorflow", True, {"tensorflow"}),
        ("if TYPE_CHECKING:\n    import tensorflow", False, set()),
        ("try:\n    import tensorflow\nexcept ImportError:\n    pass", False, {"tensorflow"}),
        ("class A:\n    import holoviews", False, {"holoviews"}),
        ("importlib.import_module('tf_keras.layers')", True, {"tf_keras"}),
    ],
)
def test_the_search_for_imports_sees_them(source, everywhere, expected):
    assert imported(ast.parse(source), everywhere=everywhere) == expected


def test_the_package_itself_loads_no_heavy_package():
    code = "import sys, qfl_explore; print(*sorted(m for m in sys.modules if '.' not in m))"
    done = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=True)
    assert not set(done.stdout.split()) & (TENSORFLOW | PICTURE_PACKAGES | {"numba"})
