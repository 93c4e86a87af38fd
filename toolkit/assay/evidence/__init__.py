"""The documents that stages hand each other: typed, versioned, byte-stable, with digests."""

from assay.evidence.base import (
    Document,
    Part,
    file_digest,
    tree_digest,
    write_atomically,
)
from assay.evidence.comparison import Comparison, Curve, Details, Measurement, Rows
from assay.evidence.plan import Change, Event, ModelPlan, Plan, Revision
from assay.evidence.stages import (
    BaseSource,
    DataReport,
    Dataset,
    Effect,
    Finding,
    Lineage,
    Prediction,
    StageState,
    TestFailure,
    TestRun,
    Training,
)
from assay.evidence.verdict import (
    Outcome,
    Override,
    Proposed,
    Rule,
    StageRule,
    State,
    Verdict,
)

__all__ = [
    "BaseSource",
    "Change",
    "Comparison",
    "Curve",
    "DataReport",
    "Dataset",
    "Details",
    "Document",
    "Effect",
    "Event",
    "Finding",
    "Lineage",
    "Measurement",
    "ModelPlan",
    "Outcome",
    "Override",
    "Part",
    "Plan",
    "Prediction",
    "Proposed",
    "Revision",
    "Rows",
    "Rule",
    "StageRule",
    "StageState",
    "State",
    "TestFailure",
    "TestRun",
    "Training",
    "Verdict",
    "file_digest",
    "tree_digest",
    "write_atomically",
]
