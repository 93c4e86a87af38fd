"""Opening data files: every format, every way a file can be broken, every hostile name."""

from __future__ import annotations

import json
import os
import resource
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from assay.errors import AssayError, InputError, OutsideError
from assay.tables.source import open_tables
from assay.tables.sql import identifier, literal

HOSTILE = ['a"b', "x'; DROP TABLE base; --", "line\nbreak", "${{ secrets.T }}", "<script>", "λ"]


def opened(path: Path) -> dict[str, str]:
    """Column names and kinds of a file."""
    with open_tables({"base": path}) as engine:
        return {column.name: column.kind for column in engine.tables["base"].columns}


def refusal(path: Path) -> AssayError:
    with pytest.raises(AssayError) as caught, open_tables({"base": path}) as engine:
        engine.rows("SELECT * FROM base")
    return caught.value


@pytest.fixture
def parquet(tmp_path: Path) -> Path:
    path = tmp_path / "good.parquet"
    table = {"id": list(range(2000)), "y_true": ["a", "b"] * 1000, "p": np.random.rand(2000)}
    pq.write_table(pa.table(table), path)
    return path


def test_reads_parquet_csv_and_json_alike(tmp_path: Path) -> None:
    rows = [{"id": 1, "y": "a", "p": 0.5}, {"id": 2, "y": "b", "p": 1.0}]
    pq.write_table(pa.Table.from_pylist(rows), tmp_path / "f.parquet")
    (tmp_path / "f.csv").write_text("id,y,p\n1,a,0.5\n2,b,1.0\n")
    (tmp_path / "f.tsv").write_text("id\ty\tp\r\n1\ta\t0.5\r\n2\tb\t1.0\r\n")
    (tmp_path / "semicolon.csv").write_text("\ufeffid;y;p\n1;a;0.5\n2;b;1.0\n", encoding="utf-8")
    (tmp_path / "f.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows))
    (tmp_path / "f.json").write_text(json.dumps(rows))
    (tmp_path / "lying.csv").write_bytes((tmp_path / "f.parquet").read_bytes())
    (tmp_path / "lying2.csv").write_bytes((tmp_path / "f.jsonl").read_bytes())
    for path in sorted(tmp_path.iterdir()):
        with open_tables({"base": path}) as engine:
            assert engine.rows("SELECT id, y, p FROM base ORDER BY id") == [
                (1, "a", 0.5),
                (2, "b", 1.0),
            ], path.name
            assert engine.tables["base"].rows == 2
        assert opened(path) == {"id": "integer", "y": "text", "p": "float"}, path.name


@pytest.mark.parametrize(
    ("values", "kind"),
    [
        (["1", "2", ""], "integer"),
        (["001", "002", "3"], "text"),
        (["1", "2.5", "nan"], "float"),
        (["1e3", "-inf", "2"], "float"),
        (["true", "False", ""], "boolean"),
        (["1", "x", "3"], "text"),
        (["12345678901234567890", "1", "2"], "text"),
        (["", "", ""], "text"),
    ],
)
def test_csv_types_hold_for_every_row(tmp_path: Path, values: list[str], kind: str) -> None:
    path = tmp_path / "f.csv"
    path.write_text("id,v\n" + "".join(f"{i},{value}\n" for i, value in enumerate(values)))
    assert opened(path)["v"] == kind


def test_a_late_text_value_makes_the_whole_csv_column_text(tmp_path: Path) -> None:
    path = tmp_path / "f.csv"
    path.write_text("id,v\n" + "1,1\n" * 40_000 + "2,x\n")
    assert opened(path)["v"] == "text"


def test_mixed_json_values_become_text(tmp_path: Path) -> None:
    path = tmp_path / "f.jsonl"
    path.write_text('{"id": 1, "v": "a"}\n{"id": 2, "v": 3}\n{"id": 3}\n')
    with open_tables({"base": path}) as engine:
        assert engine.rows("SELECT v FROM base ORDER BY id") == [("a",), ("3",), (None,)]


@pytest.mark.parametrize("suffix", [".parquet", ".csv", ".jsonl"])
def test_hostile_names_stay_names(tmp_path: Path, suffix: str) -> None:
    path = tmp_path / f"we[i]rd '*' ?{suffix}"
    if suffix == ".parquet":
        pq.write_table(pa.table({name: [1, 2] for name in HOSTILE}), path)
    elif suffix == ".csv":
        quoted = ",".join('"' + name.replace('"', '""') + '"' for name in HOSTILE)
        rows = [",".join(value * len(HOSTILE)) for value in "12"]
        path.write_text("\n".join([quoted, *rows]) + "\n")
    else:
        path.write_text("".join(json.dumps(dict.fromkeys(HOSTILE, v)) + "\n" for v in (1, 2)))
    with open_tables({"base": path}) as engine:
        assert {column.name for column in engine.tables["base"].columns} == set(HOSTILE)
        for name in HOSTILE:
            assert engine.row(f"SELECT sum({identifier(name)}) FROM base") == (3,)


def test_literals_survive_the_engine(parquet: Path) -> None:
    values = [None, True, False, 3, -2.5, float("inf"), "it's", 'say "x"', "a\nb"]
    with open_tables({"base": parquet}) as engine:
        assert list(engine.row(f"SELECT {', '.join(map(literal, values))}")) == values


def test_arrays_come_back_as_numpy(parquet: Path) -> None:
    with open_tables({"base": parquet}) as engine:
        arrays = engine.arrays("SELECT id, p FROM base ORDER BY id")
    assert arrays["id"].tolist() == list(range(2000))
    assert arrays["p"].dtype == np.float64


def test_the_engine_reads_nothing_but_the_named_files(parquet: Path, tmp_path: Path) -> None:
    secret = tmp_path / "secret.csv"
    secret.write_text("a\n1\n")
    with open_tables({"base": parquet}) as engine:
        for sql in (
            f"SELECT * FROM read_csv('{secret}')",
            "SELECT * FROM read_text('/etc/hostname')",
            f"COPY (SELECT 1) TO '{tmp_path / 'out.csv'}'",
            "SELECT * FROM glob('/*')",
            "SET enable_external_access = true",
        ):
            with pytest.raises(Exception, match=r"Permission|locked|disabled"):
                engine.rows(sql)


def broken_files() -> dict[str, tuple[str, bytes | None, str]]:
    """Name of the case -> file name, content (None: missing), words of the message."""
    return {
        "missing": ("no.parquet", None, "no such file"),
        "empty": ("e.parquet", b"", "empty"),
        "blank": ("e.csv", b" \n\n", "empty"),
        "csv without rows": ("h.csv", b"id,y\n", "no rows"),
        "csv header cut": ("h2.csv", b"id,y", "no rows"),
        "ragged short": ("r.csv", b"id,y,p\n1,a,0.5\n2,b\n3,c,1\n", "r.csv:3: the row has 2"),
        "ragged first": ("r.csv", b"id,y,p\n1,a\n", "r.csv:2: the row has 2 values"),
        "ragged long": ("r.csv", b"id,y,p\n1,a,0.5\n2,b,1,4\n", "r.csv:3: the row has 4 values"),
        "csv same name": ("d.csv", b"id,y,y\n1,2,3\n", "'y' and 'y'"),
        "csv same name but case": ("d.csv", b"id,y,Y\n1,2,3\n", "'y' and 'Y'"),
        "csv nameless": ("d.csv", b"y,\n1,2\n", "column 2 of the header has no name"),
        "csv latin-1": ("l.csv", b"id,y\n1,a\n2,\xe9t\xe9\n", "l.csv:3: the file is not UTF-8"),
        "csv late latin-1": ("l.csv", b"id,y\n" + b"1,a\n" * 300_000 + b"2,\xe9\n", "not UTF-8"),
        "csv utf-16": ("u.csv", "id,y\n1,2\n".encode("utf-16"), "UTF-16"),
        "csv NUL": ("n.csv", b"id,y\n1,\x00\n", "NUL"),
        "csv open quote": ("q.csv", b'id,y\n1,"abc\n2,3\n', "never closed"),
        "csv mixed ends": ("m.csv", b"id,y\r\n1,2\n3,4\n", "line ends"),
        "json broken": ("b.jsonl", b'{"id": 1}\n{"id": \n{"id": 3}\n', "b.jsonl:2: the line"),
        "json no object": ("b.jsonl", b"1\n2\n", "b.jsonl:1: the line is JSON, but not"),
        "json key twice": ("b.jsonl", b'{"id": 1}\n{"id": 1, "id": 2}\n', "b.jsonl:2: the key"),
        "json case": ("b.jsonl", b'{"y": 1, "Y": 2}\n', "'Y' and 'y'"),
        "json case, other rows": ("b.jsonl", b'{"y": 1}\n{"Y": 2}\n', "'Y' and 'y'"),
        "json latin-1": ("b.jsonl", b'{"y": "\xe9"}\n', "not UTF-8"),
        "json array cut": ("b.json", b'[{"id": 1}, {"id":', "array is broken"),
        "json empty array": ("b.json", b"[ ]\n", "holds no rows"),
        "json empty object": ("b.jsonl", b"{}\n", "no column"),
        "named parquet": ("p.parquet", b"id,y\n1,2\n", "does not begin as one"),
        "lfs pointer": ("p.parquet", b"version https://git-lfs\n", "lfs pull"),
        "gzip": ("p.csv", b"\x1f\x8b\x08\x00aaaa", "gzip"),
        "excel": ("p.csv", b"PK\x03\x04aaaa", "ZIP"),
        "arrow": ("p.parquet", b"ARROW1\x00\x00", "Arrow"),
        "pickle": ("p.pkl", b"\x80\x04\x95aa", "pickle"),
        "suffix": ("p.xml", b"<a/>", "'.xml'"),
        "no suffix": ("predictions", b"id,y\n1,2\n", "no suffix"),
    }


@pytest.mark.parametrize("case", broken_files())
def test_broken_files_are_refused_in_one_message(tmp_path: Path, case: str) -> None:
    name, content, words = broken_files()[case]
    path = tmp_path / name
    if content is not None:
        path.write_bytes(content)
    error = refusal(path)
    assert isinstance(error, InputError)
    assert words in str(error)
    assert str(path) in str(error)
    assert "assay-" not in str(error).replace(str(tmp_path), "")


def test_a_half_written_parquet_is_refused(parquet: Path) -> None:
    whole = parquet.read_bytes()
    for cut in (4, 100, len(whole) // 2, len(whole) - 1):
        parquet.write_bytes(whole[:cut])
        error = refusal(parquet)
        assert isinstance(error, InputError)
        assert "damaged or cut off" in str(error)


def test_a_parquet_with_damaged_pages_is_refused_when_read(parquet: Path) -> None:
    whole = bytearray(parquet.read_bytes())
    whole[4:400] = b"\xff" * 396
    parquet.write_bytes(bytes(whole))
    assert refusal(parquet).exit_code in {2, 3}


def test_parquet_columns_that_differ_in_case_are_refused(tmp_path: Path) -> None:
    path = tmp_path / "f.parquet"
    nested = pa.array([{"y": 1, "z": {"y": 2}}])
    pq.write_table(pa.table([nested, [1], [2]], names=["s", "y", "Y"]), path)
    assert "'y' and 'Y'" in str(refusal(path))
    pq.write_table(pa.table([nested, [1]], names=["s", "y"]), path)
    assert opened(path) == {"s": "other", "y": "integer"}


def test_a_folder_and_a_pipe_are_refused(tmp_path: Path) -> None:
    assert "folder" in str(refusal(tmp_path))
    os.mkfifo(tmp_path / "pipe.csv")
    assert "regular file" in str(refusal(tmp_path / "pipe.csv"))


def test_no_scratch_space_is_an_outside_error(
    parquet: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path / "gone"))
    error = refusal(parquet)
    assert isinstance(error, OutsideError)
    assert "TMPDIR" in str(error)


def test_nan_in_parquet_is_seen_in_spite_of_the_files_statistics(tmp_path: Path) -> None:
    path = tmp_path / "f.parquet"
    pq.write_table(pa.table({"x": [1.0, float("nan"), None], "y": [1, 2, 3]}), path)
    with open_tables({"base": path}) as engine:
        assert engine.rows("SELECT y FROM base WHERE isnan(x)") == [(2,)]
        assert engine.row("SELECT count(*) FILTER (WHERE x > 5) FROM base") == (1,)


def test_the_row_numbers_of_pandas_are_a_column(tmp_path: Path) -> None:
    (tmp_path / "f.csv").write_text(",id,y\n0,7,1\n")
    assert list(opened(tmp_path / "f.csv")) == ["Unnamed: 0", "id", "y"]


def test_long_values_are_read(tmp_path: Path) -> None:
    (tmp_path / "f.csv").write_text("id,y\n1," + "x" * 3_000_000 + "\n")
    assert opened(tmp_path / "f.csv")["y"] == "text"


@pytest.mark.parametrize("gap", [None, float("nan")], ids=["a view", "loaded for its NaN"])
def test_times_with_a_zone_in_nanoseconds_are_times_like_others(
    tmp_path: Path, gap: float | None
) -> None:
    # What pandas writes for datetime64[ns, UTC]; DuckDB has no functions for its type of it.
    path = tmp_path / "f.parquet"
    noon = pa.array([1_767_268_800_123_456_000], type=pa.timestamp("ns", tz="Europe/Madrid"))
    pq.write_table(pa.table({"when": noon, "p": pa.array([gap], type=pa.float64())}), path)
    assert opened(path)["when"] == "time"
    with open_tables({"base": path}) as engine:
        asked = 'SELECT epoch_us("when"), year("when"), isfinite("when") FROM base'
        assert engine.row(asked) == (1_767_268_800_123_456, 2026, True)


def test_more_files_than_a_process_may_open_by_default_are_opened(tmp_path: Path) -> None:
    files = {f"log{place}": tmp_path / f"{place}.parquet" for place in range(80)}
    for path in files.values():
        pq.write_table(pa.table({"id": [1]}), path)
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (len(list(Path("/dev/fd").iterdir())) + 40, hard))
    try:
        with open_tables(files) as engine:
            union = " UNION ALL ".join(f"SELECT id FROM {name}" for name in files)
            assert engine.row(f"SELECT count(*) FROM ({union})") == (80,)
            assert "or 75 others" in engine._files()
    finally:
        resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))
