"""Work that ends."""

from __future__ import annotations

from threeport.resources.kind import Column, Kind
from threeport.simulated.kinds.core import AGE
from threeport.simulated.kinds.schemas import default, open_object, pod_template, root

_JOB_SPEC = open_object(
    parallelism=default("integer", 1),
    completions=default("integer", 1),
    backoffLimit=default("integer", 6),
    suspend=default("boolean", False),
    template=pod_template(None),
)

KINDS = (
    Kind(
        kind="Job", plural="jobs", singular="job", group="batch", categories=("all",), schema=root(spec=_JOB_SPEC),
        columns=(
            Column("Complete", ".status.conditions[?(@.type=='Complete')].status"),
            Column("Completions", ".spec.completions", "integer"),
            Column("Succeeded", ".status.succeeded", "integer"),
            AGE,
        ),
    ),
    Kind(
        kind="CronJob", plural="cronjobs", singular="cronjob", group="batch", short_names=("cj",),
        categories=("all",),
        schema=root(
            spec=open_object(
                suspend=default("boolean", False),
                jobTemplate=open_object(metadata=open_object(), spec=open_object(template=pod_template(None))),
            )
        ),
        columns=(Column("Schedule", ".spec.schedule"), Column("Suspend", ".spec.suspend", "boolean"), AGE),
    ),
)  # fmt: skip
