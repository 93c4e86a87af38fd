"""The fixed version that a model is also compared with, so that small losses cannot add up."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field, StringConstraints, model_validator

from assay.config.gates import Gate, Severity
from assay.config.types import MetricName, Number, Strict

LATEST_RELEASE = "latest-release"
USUAL_TAG = "v*"
_NEVER = r"\s\x00-\x1f\x7f~^:\\"
_REF = rf"^[^{_NEVER}?*\[-][^{_NEVER}?*\[]{{0,199}}$"
_TAG = rf"^[^{_NEVER}-][^{_NEVER}]{{0,199}}$"
AnchorMargin = Annotated[Number, Field(gt=0)]


class Anchor(Strict):
    """A version of the base branch's history that the head is compared with as well."""

    ref: Annotated[str, StringConstraints(pattern=_REF)] = Field(
        description="A tag, branch or commit of the base's history, or `latest-release`: its "
        "newest tag by version number.",
        examples=["v1.2.0", LATEST_RELEASE],
    )
    tag: Annotated[str, StringConstraints(pattern=_TAG)] | None = Field(
        default=None,
        description=f"Which tags are releases, for `latest-release`. Default: `{USUAL_TAG}`.",
        examples=["model-v*"],
    )
    severity: Severity = Field(
        default=Severity.WARN,
        description="The most that being worse than the anchor does; an anchor that cannot be had "
        "warns. off: no comparison.",
    )
    margins: dict[MetricName, AnchorMargin] = Field(
        default_factory=dict,
        description="Margins against the anchor, by metric, where they are not the gates' own.",
    )

    @model_validator(mode="after")
    def _tag_of_a_release(self) -> Anchor:
        if self.tag is not None and self.ref != LATEST_RELEASE:
            raise ValueError(f"tag is for ref: {LATEST_RELEASE}; a ref names its tag itself")
        return self

    def gates(self, gates: dict[str, Gate]) -> dict[str, Gate]:
        """Return the gates against the anchor: what is only inconclusive is shown, no more."""
        order = (Severity.OFF, Severity.WARN, Severity.BLOCK)
        found = {}
        for name, gate in gates.items():
            changes: dict[str, object] = {
                "severity": min(gate.severity, self.severity, key=order.index),
                "inconclusive": Severity.OFF,
                "slices": Severity.OFF,
            }
            if name in self.margins:
                changes |= {
                    "margin": self.margins[name],
                    "relative_margin": None,
                    "must_improve": False,
                }
            found[name] = gate.model_copy(update=changes)
        return found
