"""Envoy and scoring servers as processes of this host."""

from assay.rollout.targets.local.environment import Environments
from assay.rollout.targets.local.setup import Setup, setup_local
from assay.rollout.targets.local.target import Local

__all__ = ["Environments", "Local", "Setup", "setup_local"]
