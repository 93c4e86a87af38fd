from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from assay.errors import InputError
from assay.training.variables import consumer_variables, parse_dotenv


def test_the_forms_of_a_dotenv_file() -> None:
    text = (
        "# the remote\n"
        "AWS_ACCESS_KEY_ID=AKIA123\r\n"
        "export AWS_SECRET = a/b+c== # not part of it\n"
        "\n"
        "QUOTED='li$teral \\n # kept' # but not this\n"
        'DOUBLE="a\\tb\\"c\\\\\\$"\n'
        "HASH=a#b\n"
        "EMPTY=\n"
        'KEY="-----BEGIN\n  abc\n-----END\n"\n'
        "LAST=1"
    )
    assert parse_dotenv(text, name="training-secrets") == {
        "AWS_ACCESS_KEY_ID": "AKIA123",
        "AWS_SECRET": "a/b+c==",
        "QUOTED": "li$teral \\n # kept",
        "DOUBLE": 'a\tb"c\\$',
        "HASH": "a#b",
        "EMPTY": "",
        "KEY": "-----BEGIN\n  abc\n-----END\n",
        "LAST": "1",
    }


@pytest.mark.parametrize(
    ("text", "line", "what"),
    [
        ("A=1\nhunter22\n", 2, "no NAME=value"),
        ("A=1\n\n2B=hunter22", 3, "not made of letters"),
        ("A='hunter22\nmore", 1, "never closed"),
        ("A='x'hunter22", 1, "follows the closing quote"),
        ("A=1\nA=hunter22", 2, "twice"),
        ("GITHUB_ENV=hunter22", 1, "belongs to the runner"),
        ("ASSAY_SEED=hunter22", 1, "belongs to the runner"),
        ("A-B=hunter22", 1, "not made of letters"),
        ("=hunter22", 1, "no NAME=value"),
    ],
)
def test_a_mistake_names_its_line_and_no_value(text: str, line: int, what: str) -> None:
    with pytest.raises(InputError, match=what) as failure:
        parse_dotenv(text, name="training-secrets")
    assert failure.value.where is not None
    assert failure.value.where.line == line
    assert "hunter22" not in str(failure.value)


names = st.from_regex(r"[A-F_][A-Z0-9_]{0,8}", fullmatch=True)
values = st.text(st.characters(blacklist_categories=("Cs",), blacklist_characters="\r'"))


@given(st.dictionaries(names.filter(lambda n: not n.startswith(("ASSAY_", "ACTIONS_"))), values))
def test_what_is_quoted_comes_back(found: dict[str, str]) -> None:
    text = "".join(f"{name}='{value}'\n" for name, value in found.items())
    assert parse_dotenv(text, name="x") == found


def test_the_consumer_gets_its_own_variables_and_none_of_the_jobs() -> None:
    job = {
        "PATH": "/bin",
        "HOME": "/home/octo",
        "CI": "true",
        "GITHUB_SHA": "a",
        "MLFLOW_TRACKING_URI": "http://mlflow",
        "GITHUB_TOKEN": "t",
        "GH_TOKEN": "t",
        "ASSAY_TRAINING_SECRETS": "A=1",
        "ASSAY_GITHUB_TOKEN": "t",
        "ACTIONS_RUNTIME_TOKEN": "t",
        "ACTIONS_ID_TOKEN_REQUEST_TOKEN": "t",
        "INPUT_TOKEN": "t",
        "GITHUB_ENV": "/e",
        "GITHUB_OUTPUT": "/o",
        "GITHUB_PATH": "/p",
        "GITHUB_STATE": "/s",
        "GITHUB_STEP_SUMMARY": "/m",
        "VIRTUAL_ENV": "/v",
    }
    made = consumer_variables(job, {"AWS_ACCESS_KEY_ID": "k"})
    assert set(made) == {
        "PATH",
        "HOME",
        "CI",
        "GITHUB_SHA",
        "MLFLOW_TRACKING_URI",
        "AWS_ACCESS_KEY_ID",
        "PYTHONUNBUFFERED",
        "DVC_NO_ANALYTICS",
    }
