from __future__ import annotations

from pathlib import Path

import pandas as pd

from doctor_visit.ingest import read_additions, tidy
from doctor_visit.model import FEATURES, matrix
from doctor_visit.params import read_params
from doctor_visit.prepare import add_history, add_label, in_test
from doctor_visit.staging import PATH, sample


def test_a_sample_has_every_feature_as_the_model_takes_it(raw: pd.DataFrame) -> None:
    found = sample(add_label(add_history(raw)))
    assert list(found.columns) == ["id", *FEATURES]
    assert set(found.dtypes[list(FEATURES)].astype(str)) == {"float64"}


def test_the_rows_chosen_depend_on_their_ids_alone(raw: pd.DataFrame) -> None:
    table = add_label(add_history(raw))
    assert sample(table[::-1]).equals(sample(table))


def test_the_committed_rows_are_what_the_pipeline_makes_of_their_ids() -> None:
    from statsmodels.datasets import randhie

    source = tidy(randhie.load_pandas().data)
    table = add_label(add_history(pd.concat([source, *read_additions(Path("additions"))])))
    params = read_params("prepare")
    test = table[in_test(table["member"], share=params["test_share"], salt=params["salt"])]
    kept = pd.read_csv(PATH).set_index("id")
    now = test.drop_duplicates("id").set_index("id").reindex(kept.index)
    again = "write them again: python -m doctor_visit.staging"
    assert kept.equals(matrix(now, list(FEATURES))), again
