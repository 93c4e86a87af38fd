from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from assay.config import Scalar
from assay.errors import InputError
from assay.evidence import file_digest
from assay.training.outputs import (
    digest_of,
    forget_predictions,
    keep_predictions,
    kept_name,
    pipeline_metrics,
    read_scalars,
)


@pytest.mark.parametrize(
    ("name", "kept"),
    [
        ("out/p.parquet", "predictions.parquet"),
        ("p.pq", "predictions.parquet"),
        ("p.CSV", "predictions.csv"),
        ("p.ndjson", "predictions.jsonl"),
    ],
)
def test_predictions_are_kept_under_one_name(name: str, kept: str) -> None:
    assert kept_name(name) == kept


@pytest.mark.parametrize("name", ["p.pkl", "p", "p.csv.gz", ".csv"])
def test_predictions_of_another_kind_are_an_input_error(name: str) -> None:
    with pytest.raises(InputError, match="cannot be read"):
        kept_name(name)


def test_kept_predictions_replace_those_of_an_earlier_run(tmp_path: Path) -> None:
    target = tmp_path / "evidence"
    (tmp_path / "a.csv").write_text("id\n1\n")
    (tmp_path / "b.jsonl").write_text('{"id": 1}\n')
    keep_predictions(tmp_path / "a.csv", target)
    kept = keep_predictions(tmp_path / "b.jsonl", target)
    assert [file.name for file in target.iterdir()] == ["predictions.jsonl"]
    assert kept.sha256 == file_digest(tmp_path / "b.jsonl")
    assert kept.bytes == 10
    forget_predictions(target)
    assert list(target.iterdir()) == []
    with pytest.raises(InputError, match="no such predictions"):
        keep_predictions(tmp_path / "absent.csv", target)


def test_a_pointer_of_git_lfs_is_no_predictions_file(tmp_path: Path) -> None:
    (tmp_path / "p.csv").write_text("version https://git-lfs.github.com/spec/v1\noid sha256:a\n")
    with pytest.raises(InputError, match="Git LFS pointer"):
        keep_predictions(tmp_path / "p.csv", tmp_path / "evidence")


FILES = {
    "m.json": '{"test": {"auc": 0.5, "n": 3, "flag": true, "name": "x"}, "a.b": 2, "l": [1, 2.5]}',
    "m.yaml": "test:\n  auc: 0.5\n  bad: .nan\n",
    "m.toml": "[test]\nauc = 0.5\n",
    "broken.json": "{",
    "broken.yaml": "a: [",
    "broken.toml": "a =",
    "binary.json": "\udcff",
}


@pytest.mark.parametrize(
    ("file", "key", "expected"),
    [
        ("m.json", "test.auc", 0.5),
        ("m.yaml", "test.auc", 0.5),
        ("m.toml", "test.auc", 0.5),
        ("m.json", "test.n", 3.0),
        ("m.json", "a.b", 2.0),
        ("m.json", "l.1", 2.5),
        ("m.json", "l.9", "m.json has no l.9"),
        ("m.json", "test.f1", "m.json has no test.f1"),
        ("m.json", "test.auc.more", "m.json has no test.auc.more"),
        ("m.json", "test.flag", "test.flag in m.json is no number"),
        ("m.json", "test.name", "test.name in m.json is no number"),
        ("m.yaml", "test.bad", "test.bad in m.yaml is not finite"),
        ("absent.json", "a", "there is no absent.json"),
        ("broken.json", "a", "broken.json is not valid JSON"),
        ("broken.yaml", "a", "broken.yaml is not valid YAML"),
        ("broken.toml", "a", "broken.toml is not valid TOML"),
        ("binary.json", "a", "binary.json is not valid JSON"),
    ],
)
def test_a_scalar_is_a_number_or_a_reason(
    tmp_path: Path, file: str, key: str, expected: float | str
) -> None:
    for name, text in FILES.items():
        (tmp_path / name).write_bytes(text.encode(errors="surrogateescape"))
    values, missing = read_scalars({"s": Scalar(file=file, key=key)}, tmp_path)
    if isinstance(expected, float):
        assert values == {"s": expected}
        assert missing == {}
    else:
        assert values == {}
        assert missing == {"s": expected}


@given(st.binary(max_size=200), st.text(min_size=1, max_size=10))
def test_no_metrics_file_is_an_error(
    tmp_path_factory: pytest.TempPathFactory, content: bytes, key: str
) -> None:
    folder = tmp_path_factory.mktemp("metrics")
    for suffix in ("json", "yaml", "toml"):
        (folder / f"m.{suffix}").write_bytes(content)
        values, missing = read_scalars({"s": Scalar(file=f"m.{suffix}", key=key)}, folder)
        assert len(values) + len(missing) == 1


def test_the_numbers_of_a_pipelines_metric_files(tmp_path: Path) -> None:
    (tmp_path / "dvc.yaml").write_text(
        "metrics: [top.json]\n"
        "stages:\n"
        "  a: {cmd: x, metrics: [a.json, {b.yaml: {cache: false}}, gone.json]}\n"
        "  b: {cmd: x}\n"
    )
    (tmp_path / "top.json").write_text('{"top": 1}')
    (tmp_path / "a.json").write_text('{"test": {"auc": 0.5, "name": "x", "ok": true}}')
    (tmp_path / "b.yaml").write_text("loss: 2\nbad: .inf\n")
    assert pipeline_metrics(tmp_path) == {"top": 1.0, "test.auc": 0.5, "loss": 2.0}
    assert pipeline_metrics(tmp_path / "nowhere") == {}


def test_the_digest_of_what_is_not_there_is_none(tmp_path: Path) -> None:
    assert digest_of(tmp_path, None) is None
    assert digest_of(tmp_path, "absent") is None
    (tmp_path / "model").mkdir()
    (tmp_path / "model" / "a").write_text("1")
    first = digest_of(tmp_path, "model")
    (tmp_path / "model" / "a").write_text("2")
    assert first is not None
    assert digest_of(tmp_path, "model") != first
