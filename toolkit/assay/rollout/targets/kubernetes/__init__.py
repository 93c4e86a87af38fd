"""Kubernetes as a target: server-side apply, one controller by a Lease, status read back."""

from assay.rollout.targets.kubernetes.api import SECONDS, Api, Conflict, connect
from assay.rollout.targets.kubernetes.counting import Counter
from assay.rollout.targets.kubernetes.judge import Judge, Judgement, reader
from assay.rollout.targets.kubernetes.lease import DURATION, Held, Lease
from assay.rollout.targets.kubernetes.observing import read_cluster
from assay.rollout.targets.kubernetes.target import Kubernetes, open_kubernetes

__all__ = [
    "DURATION",
    "SECONDS",
    "Api",
    "Conflict",
    "Counter",
    "Held",
    "Judge",
    "Judgement",
    "Kubernetes",
    "Lease",
    "connect",
    "open_kubernetes",
    "read_cluster",
    "reader",
]
