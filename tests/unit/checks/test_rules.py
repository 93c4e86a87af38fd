"""Rules of the consumer's own: what they may say, and what is refused."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from assay.checks.rules import broken_rules
from assay.checks.side import Side
from assay.config import DataRule
from assay.errors import AssayError, SeveralErrors
from assay.tables.profile import profile
from assay.tables.rows import numbered
from assay.tables.source import open_tables
from support.data_files import write_parquet


@pytest.fixture(scope="module")
def side(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Side]:
    path = tmp_path_factory.mktemp("rules") / "rows.parquet"
    write_parquet(
        path,
        {
            "a": [1, 2, None, 4],
            "b": [1.0, 1.5, 2.0, float("nan")],
            "text": ["x", "Yes", "2020-01-31", "é"],
            'q"; --': [True, False, True, None],
        },
    )
    with open_tables({"train": path, "other": path}) as engine:
        rows = numbered(engine, "train")
        yield Side(name="train", rows=rows, profiles=profile(rows))


def rule(expression: str) -> DataRule:
    return DataRule(name="r", expression=expression)


@pytest.mark.parametrize(
    ("expression", "broken"),
    [
        ("a >= 1", ("row 3",)),
        ("a IS NULL OR a >= b", ("row 4",)),
        ("A BETWEEN 1 AND 2 -- comment", ("row 3", "row 4")),
        ("coalesce(a, 0) IN (0, 1, 2, 4)", ()),
        ("text LIKE 'x%' OR length(text) > 1", ("row 4",)),
        ("CASE WHEN a > 1 THEN b < 2 ELSE true END", ("row 4",)),
        ('"q""; --" IS NOT FALSE', ("row 2",)),
        ("try_strptime(text, '%Y-%m-%d') + INTERVAL 1 DAY > DATE '2020-01-01' OR true", ()),
        ("regexp_full_match(text, '[a-zA-Z]+')", ("row 3", "row 4")),
        ("NOT isnan(b)", ("row 4",)),
        ("NULL::BOOLEAN", ("row 1", "row 2", "row 3", "row 4")),
        ("TRY_CAST(text AS DATE) IS NULL", ("row 3",)),
    ],
)
def test_a_rule_names_the_rows_that_break_it(
    side: Side, expression: str, broken: tuple[str, ...]
) -> None:
    findings = broken_rules(side, [rule(expression)])
    assert (findings[0].rows if findings else ()) == broken
    assert all(finding.check == "rule:r" for finding in findings)


REFUSED = [
    "(SELECT count(*) FROM other) > 0",
    "a IN (SELECT a FROM other)",
    "EXISTS (SELECT 1 FROM read_csv('/etc/passwd'))",
    "a > 1) FROM read_parquet('x') WHERE (true",
    "a > 1) AS x, (b > 1",
    "a > 1) UNION ALL SELECT (true",
    "a > 1) ORDER BY (1",
    "a > 1) LIMIT (1",
    "true); DROP TABLE train; SELECT (true",
    "true; DROP TABLE train",
    "sum(a) > 1",
    "count(*) OVER () > 1",
    "row_number() OVER (ORDER BY a) = 1",
    "random() < 2",
    "getenv('HOME') <> ''",
    "current_setting('threads') IS NOT NULL",
    "nextval('s') > 0",
    "sleep_ms(10000) IS NULL",
    "now() > DATE '2020-01-01'",
    "list_transform([a], x -> x + 1)[1] > 0",
    "query('SELECT 1') IS NULL",
    "read_text('/etc/passwd') IS NULL",
    "COLUMNS('a') > 0",
    "* IS NULL",
    "rowid > 0",
    "other.a > 0",
    "train.a > 0",
    "c > 0",
    "$1 > 0",
    "? > 0",
    "#1 > 0",
    "a >",
    "",
    ")",
    "a > 0 /*",
    "'",
    "\0",
    "a",
    "text = 1 OR text",
    "repeat(text, 1000000000) IS NULL",
    "year(a) > 1",
    "strptime(text, '%Y') IS NULL",
    "CAST(text AS INTEGER) > 0",
    "main.abs(a) > 0",
    "a COLLATE nocase > 0",
]


@pytest.mark.parametrize("expression", REFUSED)
def test_whatever_is_more_than_a_condition_on_one_row_is_refused(
    side: Side, expression: str
) -> None:
    given = DataRule.model_construct(name="r", expression=expression, severity="block")
    with pytest.raises(AssayError) as caught:
        broken_rules(side, [given])
    assert caught.value.exit_code == 2
    assert "the data rule 'r'" in str(caught.value)
    assert "damaged" not in str(caught.value)


def test_the_engines_own_words_are_passed_on(side: Side) -> None:
    with pytest.raises(AssayError, match="No function matches"):
        broken_rules(side, [rule("year(a) > 1")])
    with pytest.raises(AssayError, match="Could not convert string"):
        broken_rules(side, [rule("CAST(text AS INTEGER) > 0")])


def test_all_bad_rules_are_told_at_once(side: Side) -> None:
    with pytest.raises(SeveralErrors) as caught:
        broken_rules(side, [rule("c > 0"), rule("a > 0"), rule("sum(a) > 0")])
    assert len(caught.value.causes) == 2
