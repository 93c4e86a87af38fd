"""What ``assay.yaml`` may say, and what it then means."""

from __future__ import annotations

from pathlib import Path

import pytest

from assay.config import (
    Config,
    Cross,
    Deepchecks,
    Model,
    Severity,
    Slice,
    load_config,
    parse_config,
)
from assay.config.load import model_named
from assay.errors import InputError

SMALL = """version: 1
models:
  m:
    predictions: p.csv
    gates: {accuracy: {margin: 0.01}}
"""


def model(text: str = "") -> Model:
    return parse_config(f"{SMALL}    {text}\n" if text else SMALL).models["m"]


def test_five_lines_are_enough() -> None:
    made = model()
    assert made.gates["accuracy"].margin == 0.01
    assert made.gates["accuracy"].severity is Severity.BLOCK
    assert made.environment == "auto"
    assert made.touch_patterns == ("**",)


@pytest.mark.parametrize("written", ["off", "'off'", '"off"'])
def test_off_means_off_without_quotes(written: str) -> None:
    assert model(f"data: {{checks: {{drift: {written}}}}}").data.checks == {  # type: ignore[union-attr]
        "drift": Severity.OFF
    }


def test_a_slice_may_be_only_its_column() -> None:
    written = "slices: [plan, {column: age, bins: [18, 40.5]}, {column: pay, bins: 4}]"
    assert model(written).slices == (
        Slice(column="plan"),
        Slice(column="age", bins=(18, 40.5)),
        Slice(column="pay", bins=4),
    )


def test_two_columns_may_be_crossed() -> None:
    assert model("slices: [{cross: [plan, age]}]").slices == (Cross(cross=("plan", "age")),)


@pytest.mark.parametrize(
    ("written", "meant"),
    [
        ("true", Deepchecks()),
        ("false", None),
        ("null", None),
        ("{max_rows: 500}", Deepchecks(max_rows=500)),
    ],
)
def test_deepchecks_is_a_switch_or_its_settings(written: str, meant: Deepchecks | None) -> None:
    data = model(f"data: {{deepchecks: {written}}}").data
    assert data is not None
    assert data.deepchecks == meant


@pytest.mark.parametrize(
    ("written", "meant"),
    [("1e-2", 0.01), ("1E-2", 0.01), (".01", 0.01), ("0.5", 0.5), ("+.5", 0.5)],
)
def test_numbers_as_yaml_1_2_and_json_write_them(written: str, meant: float) -> None:
    made = parse_config(
        SMALL.replace("accuracy: {margin: 0.01", f"mae: {{margin: {written}")
    ).models["m"]
    assert made.gates["mae"].margin == meant


@pytest.mark.parametrize("written", ["1", "true", "yes", "'1'"])
def test_the_positive_class_keeps_its_type(written: str) -> None:
    meant = {"1": 1, "true": True, "yes": "yes", "'1'": "1"}[written]
    positive = model(f"columns: {{positive: {written}}}").columns.positive
    assert (type(positive), positive) == (type(meant), meant)


def test_a_date_is_text() -> None:
    assert parse_config(SMALL.replace("p.csv", "2001-01-01")).models["m"].predictions == (
        "2001-01-01"
    )


@pytest.mark.parametrize(
    "content",
    [
        SMALL.encode(),
        SMALL.replace("\n", "\r\n").encode(),
        SMALL.encode("utf-8-sig"),
        b"---\n" + SMALL.encode() + b"...\n",
        b"%YAML 1.2\n---\n" + SMALL.encode(),
    ],
)
def test_files_as_editors_write_them(content: bytes, tmp_path: Path) -> None:
    path = tmp_path / "assay.yaml"
    path.write_bytes(content)
    assert load_config(path) == parse_config(SMALL)


def test_a_configuration_survives_its_own_json() -> None:
    made = parse_config(
        SMALL + "    slices: [plan]\n    data: {deepchecks: true, schema: s.yaml}\n"
        "    environment: {uv: true}\n    columns: {positive: true}\n"
    )
    assert Config.model_validate_json(made.model_dump_json(by_alias=True)) == made


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (SMALL.encode("utf-16"), ":1:1: the byte 0xff here is not UTF-8. Save the file as UTF-8."),
        (b"version: 1\nmodels: \xe9\n", ":2:9: the byte 0xe9 here is not UTF-8. Save the"),
        (SMALL.encode("utf-16-be"), ":1:1: the character U+0000 may not stand in YAML."),
    ],
)
def test_another_encoding_is_named_at_its_place(
    content: bytes, message: str, tmp_path: Path
) -> None:
    path = tmp_path / "assay.yaml"
    path.write_bytes(content)
    with pytest.raises(InputError) as raised:
        load_config(path, shown_as="assay.yaml")
    assert str(raised.value).startswith(f"assay.yaml{message}")


def test_a_missing_file_says_how_to_get_one(tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"there is no such file\. Write one"):
        load_config(tmp_path / "assay.yaml")


def test_a_file_in_a_folder_above_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "assay.yaml").write_text(SMALL)
    (tmp_path / "models" / "churn").mkdir(parents=True)
    monkeypatch.chdir(tmp_path / "models" / "churn")
    with pytest.raises(InputError, match=r"There is one in \.\./\.\.: run this there"):
        load_config(Path("assay.yaml"))


def test_a_folder_is_no_file(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="this is a folder, not a file"):
        load_config(tmp_path)


def test_a_path_through_a_file_is_an_input_error(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(InputError, match="cannot be read: Not a directory"):
        load_config(tmp_path / "file" / "assay.yaml")


def test_a_model_is_found_by_name_or_by_what_was_meant() -> None:
    config = parse_config(SMALL.replace("  m:", "  fraud:"))
    assert model_named(config, "fraud").predictions == "p.csv"
    with pytest.raises(InputError, match=r"no model .frud.\. Did you mean .fraud.\?"):
        model_named(config, "frud")
