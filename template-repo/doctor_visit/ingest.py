"""Ingest: the RAND Health Insurance Experiment, and the rows under additions/, as one table.

One row is one member in one year. The source names neither member nor year, so both are
inferred: consecutive rows with the same plan and the same health answers are one member,
and the rows of a member are that member's years in order.
"""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
from statsmodels.datasets import randhie

from doctor_visit import parquet

COLUMNS = {
    "id": "str",
    "member": "str",
    "year": "Int16",
    "plan": "str",
    "coinsurance": "Int16",
    "individual_deductible": "Int8",
    "log_incentive": "float64",
    "log_max_expenditure": "float64",
    "limitation": "float64",
    "disease_index": "float64",
    "health": "str",
    "visits": "Int16",
}


def number_members(source: pd.DataFrame) -> pd.Series:
    """Number the members from 1: a new one starts where any column but the visits changes."""
    answers = source.drop(columns="mdvis")
    return (answers != answers.shift()).any(axis=1).cumsum()


def name_plans(coinsurance: pd.Series, individual_deductible: pd.Series) -> pd.Series:
    """Name the plan a reader would recognise: free, a share, or a deductible."""
    share = coinsurance.astype("str") + "%"
    named = share.where(coinsurance != 0, "free")
    return named.where(individual_deductible == 0, "individual deductible")


def name_health(source: pd.DataFrame) -> pd.Series:
    """Undo the dummy coding of self-rated health; excellent is the category left out."""
    conditions = [source["hlthg"] == 1, source["hlthf"] == 1, source["hlthp"] == 1]
    names = np.select(conditions, ["good", "fair", "poor"], default="excellent")
    return pd.Series(names, index=source.index)


def tidy(source: pd.DataFrame) -> pd.DataFrame:
    """Give the source's rows an id, a member, a year and columns in plain units."""
    member = number_members(source)
    year = member.groupby(member).cumcount() + 1
    name = "m" + member.astype("str").str.zfill(5)
    coinsurance = np.expm1(source["lncoins"]).round().astype("int64")
    table = pd.DataFrame(
        {
            "id": name + "-" + year.astype("str").str.zfill(2),
            "member": name,
            "year": year,
            "plan": name_plans(coinsurance, source["idp"]),
            "coinsurance": coinsurance,
            "individual_deductible": source["idp"],
            "log_incentive": source["lpi"],
            "log_max_expenditure": source["fmde"],
            "limitation": source["physlm"],
            "disease_index": source["disea"],
            "health": name_health(source),
            "visits": source["mdvis"],
        }
    )
    return table.astype(COLUMNS)


def read_additions(folder: Path) -> list[pd.DataFrame]:
    """Read every CSV file of the folder, in order of name, with the raw table's columns."""
    return [
        pd.read_csv(path, dtype=COLUMNS, usecols=list(COLUMNS))[list(COLUMNS)]
        for path in sorted(folder.glob("*.csv"))
    ]


def main() -> None:
    """Write data/raw.parquet."""
    tables = [tidy(randhie.load_pandas().data), *read_additions(Path("additions"))]
    parquet.write(pd.concat(tables, ignore_index=True), Path("data/raw.parquet"))


if __name__ == "__main__":
    main()
