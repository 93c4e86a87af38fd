from __future__ import annotations

import string

import pytest
from hypothesis import given
from hypothesis import strategies as st

from assay.training.globs import first_match, matches


@pytest.mark.parametrize(
    ("path", "pattern", "meant"),
    [
        ("a.py", "**", True),
        ("a/b/c.py", "**", True),
        ("models/churn/x.py", "models/churn/**", True),
        ("models/churn", "models/churn/**", False),
        ("models/churn2/x.py", "models/churn/**", False),
        ("a.py", "*.py", True),
        ("src/a.py", "*.py", False),
        ("src/a.py", "**/*.py", True),
        ("a.py", "**/*.py", True),
        ("src/deep/er/a.py", "src/**/a.py", True),
        ("src/a.py", "src/**/a.py", True),
        ("src2/a.py", "src/**/a.py", False),
        ("src/a.py", "src", True),
        ("src/a.py", "src/", True),
        ("src/a.py", "./src", True),
        ("srcs/a.py", "src", False),
        ("src/a/b.py", "src/*", False),
        ("data1.csv", "data[0-9].csv", True),
        ("data1.csv", "data[01].csv", True),
        ("data2.csv", "data[!01].csv", True),
        ("data1.csv", "data?.csv", True),
        ("data/.csv", "data?.csv", False),
        ("a\nb.py", "*.py", True),
        ("a+b(c).py", "a+b(c).py", True),
        ("a[.py", "a[.py", True),
        ("a[].py", "a[].py", True),
    ],
)
def test_patterns(path: str, pattern: str, meant: bool) -> None:
    assert matches(path, pattern) is meant


names = st.text(string.ascii_letters + string.punctuation.replace("/", "") + "ü ", min_size=1)


@given(st.lists(names, min_size=1, max_size=5).map("/".join))
def test_two_stars_mean_everything(path: str) -> None:
    assert matches(path, "**")
    assert matches(f"folder/{path}", "folder/**")


@given(st.text(max_size=30), st.text(max_size=30))
def test_no_pattern_is_an_error(path: str, pattern: str) -> None:
    assert matches(path, pattern) in {True, False}


@given(st.text(string.ascii_letters + "+.(){}^$|\\ -", min_size=1, max_size=20))
def test_a_plain_name_means_itself(name: str) -> None:
    assert matches(name, name) == (name != ".")


def test_first_match_keeps_the_order_of_the_paths() -> None:
    assert first_match(["a", "b/c", "d"], ["d", "b/**"]) == "b/c"
    assert first_match(["a"], []) is None
