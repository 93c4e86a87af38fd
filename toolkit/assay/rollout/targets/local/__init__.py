"""Envoy and scoring servers as processes of this host."""

from assay.rollout.targets.local.environment import Environments
from assay.rollout.targets.local.target import Local, Setup

__all__ = ["Environments", "Local", "Setup"]
