from __future__ import annotations

import pandas as pd
import pytest

from doctor_visit.prepare import add_history, add_label, in_test, position


def test_the_split_depends_on_the_member_alone() -> None:
    members = pd.Series([f"m{number:05d}" for number in range(1, 2001)])
    side = in_test(members, share=0.3, salt="s")
    fewer = members[::7].sample(frac=1, random_state=0)
    assert in_test(fewer, share=0.3, salt="s").equals(side.loc[fewer.index])


def test_the_split_takes_about_its_share_and_grows_with_it() -> None:
    members = pd.Series([f"m{number:05d}" for number in range(1, 2001)])
    less, more = (in_test(members, share=share, salt="s") for share in (0.3, 0.5))
    assert 0.26 < less.mean() < 0.34
    assert (more | ~less).all()


def test_another_salt_is_another_split() -> None:
    assert position("m00001", "a") != position("m00001", "b")


def test_all_years_of_a_member_are_on_one_side(raw: pd.DataFrame) -> None:
    test = in_test(raw["member"], share=0.5, salt="s")
    assert (test.groupby(raw["member"]).nunique() == 1).all()


def test_history_holds_earlier_years_only(raw: pd.DataFrame) -> None:
    table = add_history(raw).set_index("id")
    assert table["visits_last_year"].tolist() == [0, 0, 2, 0, 1, 0]
    assert table["visits_mean_before"].tolist() == [0, 0, 1, 0, 1, 0]
    assert table["first_year"].tolist() == [1, 0, 0, 1, 0, 1]


def test_history_does_not_depend_on_the_order_of_rows(raw: pd.DataFrame) -> None:
    shuffled = raw.sample(frac=1, random_state=1)
    pd.testing.assert_frame_equal(
        add_history(shuffled).reset_index(drop=True), add_history(raw).reset_index(drop=True)
    )


@pytest.mark.parametrize("dtype", ["Int16", "float64"])
def test_the_label_replaces_the_visits_and_stays_unknown_where_they_are(
    raw: pd.DataFrame, dtype: str
) -> None:
    raw.loc[0, "visits"] = pd.NA
    table = add_label(raw.astype({"visits": dtype}))
    assert "visits" not in table
    assert table["visit"].isna().tolist() == [True, False, False, False, False, False]
    assert table["visit"].tolist()[1:] == [1, 1, 1, 0, 1]
