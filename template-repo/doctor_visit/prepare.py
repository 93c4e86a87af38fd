"""Prepare: features, label and a split that no change of code or rows can reshuffle."""

from __future__ import annotations

import hashlib
from pathlib import Path

import pandas as pd

from doctor_visit import parquet
from doctor_visit.params import read_params


def position(member: str, salt: str) -> float:
    """Hash a member to a number in [0, 1), always the same one."""
    digest = hashlib.sha256(f"{salt}:{member}".encode()).digest()
    return int.from_bytes(digest[:6], "big") / 2**48


def in_test(members: pd.Series, *, share: float, salt: str) -> pd.Series:
    """Say which rows are for testing.

    A member's years are all on one side, or the model would be tested on people it knows.
    The side depends on the member alone: rows added or removed move nobody else.
    """
    side = {member: position(member, salt) < share for member in members.unique()}
    return members.map(side).astype(bool)


def add_history(raw: pd.DataFrame) -> pd.DataFrame:
    """Add what is known of a member when the year begins: the visits of earlier years."""
    table = raw.sort_values(["member", "year", "id"], kind="stable")
    visits = table["visits"].astype("float64")
    member = table["member"]
    before = visits.groupby(member).shift()
    mean = before.groupby(member).expanding().mean().droplevel(0)
    return table.assign(
        first_year=before.isna().astype("Int8"),
        visits_last_year=before.fillna(0.0),
        visits_mean_before=mean.fillna(0.0),
    )


def add_label(table: pd.DataFrame) -> pd.DataFrame:
    """Replace the visits by the label: 1 for at least one visit, null where not known."""
    visits = table["visits"]
    visit = (visits > 0).astype("Int8").where(visits.notna())
    return table.assign(visit=visit).drop(columns="visits")


def main() -> None:
    """Write data/train.parquet and data/test.parquet."""
    params = read_params("prepare")
    table = add_label(add_history(pd.read_parquet("data/raw.parquet")))
    test = in_test(table["member"], share=params["test_share"], salt=params["salt"])
    parquet.write(table[~test], Path("data/train.parquet"))
    parquet.write(table[test], Path("data/test.parquet"))


if __name__ == "__main__":
    main()
