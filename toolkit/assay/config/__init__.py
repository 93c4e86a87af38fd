"""``assay.yaml``: read, validated, typed; every message with file, line and column."""

from assay.config.anchor import Anchor
from assay.config.clusters import Cluster, GitOpsTarget, KubernetesTarget
from assay.config.delivery import (
    Delivery,
    DockerTarget,
    Freeze,
    ImageParts,
    Keyless,
    LocalTarget,
    ModelDelivery,
    PredictionLog,
    Retention,
    Serving,
    Trust,
)
from assay.config.families import FAMILIES, metric_named
from assay.config.gates import Columns, Cross, Gate, Scalar, Severity, Slice
from assay.config.load import CONFIG_NAME, load_config, model_named, parse_config
from assay.config.metrics import METRICS, Metric, Needs, Task, default_metrics
from assay.config.model import Comment, Config, Model, Override, Publisher
from assay.config.monitoring import (
    WATCHED,
    Alerts,
    Labels,
    LiveMetric,
    Logs,
    Monitoring,
    Objectives,
)
from assay.config.orchestrators import Airflow, Kubeflow, Remote
from assay.config.retraining import NewData, Retrain
from assay.config.search import WorstSlice
from assay.config.selection import Parameters, Selection
from assay.config.stages import Data, DataRule, Deepchecks, Environment, Tests, Tracking, Train
from assay.config.strategy import Guards, OnlineMetric, Step, Strategy

__all__ = [
    "CONFIG_NAME",
    "FAMILIES",
    "METRICS",
    "WATCHED",
    "Airflow",
    "Alerts",
    "Anchor",
    "Cluster",
    "Columns",
    "Comment",
    "Config",
    "Cross",
    "Data",
    "DataRule",
    "Deepchecks",
    "Delivery",
    "DockerTarget",
    "Environment",
    "Freeze",
    "Gate",
    "GitOpsTarget",
    "Guards",
    "ImageParts",
    "Keyless",
    "Kubeflow",
    "KubernetesTarget",
    "Labels",
    "LiveMetric",
    "LocalTarget",
    "Logs",
    "Metric",
    "Model",
    "ModelDelivery",
    "Monitoring",
    "Needs",
    "NewData",
    "Objectives",
    "OnlineMetric",
    "Override",
    "Parameters",
    "PredictionLog",
    "Publisher",
    "Remote",
    "Retention",
    "Retrain",
    "Scalar",
    "Selection",
    "Serving",
    "Severity",
    "Slice",
    "Step",
    "Strategy",
    "Task",
    "Tests",
    "Tracking",
    "Train",
    "Trust",
    "WorstSlice",
    "default_metrics",
    "load_config",
    "metric_named",
    "model_named",
    "parse_config",
]
