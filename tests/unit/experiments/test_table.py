"""CSV uploads: what is read, and what is refused by file, row and column."""

import numpy as np
import pytest

from qfl_explore.experiments.table import MAX_BYTES, MAX_COLUMNS, MAX_ROWS, read_table

VALUES = np.column_stack([np.arange(10.0), np.arange(10.0) ** 2 - 5, np.sin(np.arange(10.0))])


def _csv(rows=VALUES, header="a,b,y", separator=",", decimal="."):
    lines = [separator.join(repr(float(v)).replace(".", decimal) for v in row) for row in rows]
    return "\n".join([header.replace(",", separator), *lines]).encode()


def _with_cell(row, column, cell):
    lines = _csv().decode().split("\n")
    cells = lines[row - 1].split(",")
    cells[column] = cell
    lines[row - 1] = ",".join(cells)
    return "\n".join(lines).encode()


def test_features_become_radians_by_the_stated_map():
    table = read_table(_csv(), name="my.csv")
    assert table.names == ("a", "b", "y") and table.target_name == "y" and table.n_features == 2
    np.testing.assert_allclose(table.features.min(axis=0), -np.pi / 2)
    np.testing.assert_allclose(table.features.max(axis=0), np.pi / 2)
    np.testing.assert_allclose(table.features[:, 0], np.linspace(-np.pi / 2, np.pi / 2, 10))
    np.testing.assert_array_equal(table.target, VALUES[:, 2])
    assert "-1.571 to 1.571 rad" in table.scaling
    assert table.describe() == "my.csv (10 rows; features a, b)"
    np.testing.assert_allclose(read_table(_csv(), domain=(0, 1)).features[:, 0], np.linspace(0, 1, 10))


def test_columns_can_be_chosen():
    table = read_table(_csv(), target="a", features=["y"])
    assert table.names == ("y", "a")
    np.testing.assert_array_equal(table.target, VALUES[:, 0])
    assert read_table(_csv(), target="b").names == ("a", "y", "b")


@pytest.mark.parametrize(
    "data",
    [
        _csv(separator=";"),
        _csv(separator=";", decimal=","),
        _csv(separator="\t"),
        b"\xef\xbb\xbf" + _csv(),
        _csv().decode().encode("utf-16"),
        _csv().replace(b"\n", b"\r\n"),
        b"\n\n" + _csv().replace(b"\n", b"\n\n") + b"\n , , \n",
        _csv(header='"a", b ,y'),
    ],
    ids=["semicolon", "decimal comma", "tab", "bom", "utf-16", "crlf", "blank lines", "quotes and spaces"],
)
def test_dialects_read_the_same(data):
    table, plain = read_table(data), read_table(_csv())
    assert table.names == plain.names
    np.testing.assert_array_equal(table.features, plain.features)
    np.testing.assert_array_equal(table.target, plain.target)


def test_old_windows_files_are_read():
    assert read_table(_csv(header="größe,b,y").decode().encode("cp1252")).names[0] == "größe"


def test_a_path_is_read(tmp_path):
    path = tmp_path / "my data.csv"
    path.write_bytes(_csv())
    assert read_table(path).source == "my data.csv"
    assert read_table(str(path)).n_features == 2
    with pytest.raises(ValueError, match="none.csv cannot be read. Expected: the path of a CSV file"):
        read_table(tmp_path / "none.csv")
    with pytest.raises(TypeError, match="source is of the wrong kind.*'int'"):
        read_table(3)


BAD_CELLS = [
    ("red", "column 'b' is not a number. Expected: a finite number such as 1.5. Received: 'red'"),
    ("nan", "column 'b' is not a number.*'nan'"),
    ("inf", "column 'b' is not a number.*'inf'"),
    ("", "column 'b' is empty. Expected: a number"),
    ("1_000", "column 'b' is not a number"),
    ("１２", "column 'b' is not a number"),
    ("0x10", "column 'b' is not a number"),
    ("=1+1", "column 'b' is not a number"),
    ("1e999", "column 'b' is too large"),
]


@pytest.mark.parametrize(("cell", "match"), BAD_CELLS, ids=[cell or "empty" for cell, _ in BAD_CELLS])
def test_a_bad_cell_is_named_by_file_row_and_column(cell, match):
    with pytest.raises(ValueError, match=f"my.csv, row 4, {match}"):
        read_table(_with_cell(4, 1, cell), name="my.csv")


def test_a_bad_cell_in_a_column_not_chosen_does_no_harm():
    assert read_table(_with_cell(4, 1, "red"), features=["a"]).names == ("a", "y")


@pytest.mark.parametrize(
    ("data", "match"),
    [
        (b"", "my.csv is empty"),
        (b" \n\n", "my.csv is empty"),
        (b"a,b,y\n", "too few rows. Expected: 8 to 20000 below the header. Received: 0"),
        (b"a,b,y\n1,2,3\n", "too few rows.*Received: 1"),
        (_csv(header="a,a,y"), "two columns of one name. Expected: different column names. Received: 'a'"),
        (_csv(header="a,,y"), "column without a name.*Received: none in column 2"),
        (_csv(header="1,2,3"), "no header. Expected: column names in the first row. Received: numbers: 1, 2, 3"),
        (b"a\n1\n2\n", "wrong number of columns.*Received: 1"),
        (_csv() + b"\n1,2", "row 12 has the wrong number of cells. Expected: 3 cells.*Received: 2"),
        (_csv() + b"\n1,2,3,4", "row 12 has the wrong number of cells.*Received: 4"),
        (_csv() + b'\n1,2,"3', "row 12 is not CSV"),
        (_csv(VALUES * [1, 0, 1] + [0, 2, 0]), "column 'b' is constant.*Received: 2 in all 10 rows"),
        (_csv(VALUES * [1, 1, 0]), "column 'y' is constant"),
        (b"\x89PNG\r\n\x1a\n\0\0", "not a text file"),
        (b"\xff\xfea", "not a text file"),
        (b"x" * (MAX_BYTES + 1), "too large. Expected: at most 5 MB"),
        (b"a,y\n" + b"1,2\n" * (MAX_ROWS + 5), "too many rows"),
        (",".join(f"c{i}" for i in range(MAX_COLUMNS + 1)).encode(), "wrong number of columns.*Received: 257"),
    ],
)
def test_what_is_no_table_is_refused(data, match):
    with pytest.raises(ValueError, match=match) as caught:
        read_table(data, name="my.csv")
    assert str(caught.value).startswith("my.csv") and "Expected: " in str(caught.value)


@pytest.mark.parametrize(
    ("columns", "match"),
    [
        ({"target": "z"}, "lacks a column. Expected: one of 'a', 'b', 'y'. Received: 'z'"),
        ({"target": "Y"}, "lacks a column"),
        ({"features": ["a", "bb"]}, r"Received: 'bb' \(did you mean 'b'\?\)"),
        ({"features": []}, "features of my.csv are wrong"),
        ({"features": ["a", "y"]}, "features of my.csv are wrong"),
        ({"features": ["a", "a"]}, "features of my.csv are wrong"),
        ({"domain": (1.0, 1.0)}, "domain is out of range"),
    ],
)
def test_columns_and_domain_are_checked(columns, match):
    with pytest.raises(ValueError, match=match):
        read_table(_csv(), name="my.csv", **columns)
