from __future__ import annotations

import contextlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from assay.errors import InputError
from assay.training.dvc_lock import parse_lock

LOCK = """\
schema: '2.0'
stages:
  prepare:
    cmd: python -m prepare
    deps:
    - path: data/raw.csv
      hash: md5
      md5: aaa
      size: 3
    - path: prepare.py
      hash: md5
      md5: bbb
    params:
      params.yaml:
        prepare.test_share: 0.3
        prepare:
          salt: doctor
          parts: [1, 2]
      other.toml:
        depth: 3
    outs:
    - path: data/prepared
      hash: md5
      md5: ccc.dir
      nfiles: 2
  train:
    cmd: [python train.py, python evaluate.py]
    deps:
    - path: data/prepared
      md5: ccc.dir
    outs:
    - path: predictions.parquet
      md5: ddd
"""


def test_a_lock_gives_digests_by_kind() -> None:
    assert parse_lock(LOCK).digests() == {
        "data:data/raw.csv": "aaa",
        "code:prepare.py": "bbb",
        "out:data/prepared": "ccc.dir",
        "data:data/prepared": "ccc.dir",
        "out:predictions.parquet": "ddd",
    }


def test_parameters_are_text_by_dotted_name() -> None:
    assert parse_lock(LOCK).parameters() == {
        "prepare.test_share": "0.3",
        "prepare.salt": "doctor",
        "prepare.parts": "[1, 2]",
        "other.toml:depth": "3",
    }


def test_the_producer_of_a_file_in_a_folder_is_the_folders() -> None:
    lock = parse_lock(LOCK)
    for path in ("data/prepared", "./data/prepared/test.csv"):
        found = lock.producer(path)
        assert found is not None
        assert (found[0].name, found[1].digest) == ("prepare", "ccc.dir")
    assert lock.producer("data/prep") is None


def test_commands_of_a_list_are_one_line() -> None:
    assert parse_lock(LOCK).stages[1].command == "python train.py && python evaluate.py"


@pytest.mark.parametrize(
    "text",
    [
        "<<<<<<< HEAD\nschema: '2.0'\n=======\n",
        "stages: [a]",
        "- a",
        "stages: {train: 3}",
        "stages: {train: {outs: 3}}",
        "stages: {train: {outs: [3]}}",
        "stages: {train: {deps: [{md5: a}]}}",
        "stages: {train: {params: [a]}}",
        "stages: {train: {params: {params.yaml: 3}}}",
        "stages: {train: {cmd: 'cut off",
        "a: " + "[" * 5000,
    ],
)
def test_a_broken_lock_is_an_input_error_with_its_name(text: str) -> None:
    with pytest.raises(InputError, match=r"models/churn/dvc\.lock"):
        parse_lock(text, file="models/churn/dvc.lock")


def test_an_empty_lock_has_no_stages() -> None:
    assert parse_lock("").stages == ()


@given(st.text())
def test_any_text_is_a_lock_or_an_input_error(text: str) -> None:
    with contextlib.suppress(InputError):
        parse_lock(text)
