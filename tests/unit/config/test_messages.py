"""Every malformed ``assay.yaml``: its place, what is wrong, and what to write instead."""

from __future__ import annotations

import pytest

from assay.config import parse_config
from assay.errors import AssayError, InputError, SeveralErrors
from support.malformed import CASES, GATE, NO_MARGIN, SMALL, gate


@pytest.mark.parametrize("case", CASES)
def test_the_message_names_the_place_the_fault_and_the_remedy(case: str) -> None:
    text, expected = CASES[case]
    with pytest.raises(AssayError) as raised:
        parse_config(text)
    assert type(raised.value) is InputError
    assert str(raised.value) == f"assay.yaml:{expected}"


@pytest.mark.parametrize("value", NO_MARGIN)
def test_a_margin_is_a_number_and_nothing_that_looks_like_one(value: str) -> None:
    with pytest.raises(InputError) as raised:
        parse_config(gate(f"margin: {value}"))
    assert str(raised.value).startswith(
        f"assay.yaml:5:32: {GATE}.margin should be a number of at least 0, not "
    )


def test_several_mistakes_are_shown_at_once_in_the_order_of_the_file() -> None:
    text = SMALL.replace("p.csv", "/p") + "zebra: 1\n" + "comment: {title: ''}\n"
    with pytest.raises(SeveralErrors) as raised:
        parse_config(text)
    lines = [cause.where.line for cause in raised.value.causes if cause.where]
    assert lines == [4, 6, 7]
    assert raised.value.exit_code == 2


def test_a_flood_of_mistakes_shows_the_first_twenty() -> None:
    with pytest.raises(SeveralErrors) as raised:
        parse_config(SMALL + "".join(f"key{i}: 1\n" for i in range(500)))
    assert len(raised.value.causes) == 20


def test_a_long_value_is_cut_in_the_message() -> None:
    with pytest.raises(InputError) as raised:
        parse_config(SMALL.replace("version: 1", "version: " + "x" * 900_000))
    assert str(raised.value) == f"assay.yaml:1:10: version should be 1, not the text '{'x' * 60}'."


def test_a_file_over_a_megabyte_is_not_read() -> None:
    with pytest.raises(InputError, match="over 1,000,000 characters"):
        parse_config("#" * 1_000_001)
