"""An ordinary kopf operator, run by the tests with `kopf run`: it knows nothing of this project."""

from __future__ import annotations

import os
from typing import Any

import kopf

PREFIX = "workload.kopf.threeport.io"
URL = os.environ["TEST_SERVER"]
RESOURCE = ("threeport.io", "v1alpha1", "workloads")


@kopf.on.startup()
async def configure(settings: kopf.OperatorSettings, **_: Any) -> None:
    settings.persistence.finalizer = "workload.threeport.io/finalizer"
    settings.persistence.progress_storage = kopf.AnnotationsProgressStorage(prefix=PREFIX, v1=False)
    settings.persistence.diffbase_storage = kopf.AnnotationsDiffBaseStorage(prefix=PREFIX, v1=False)
    settings.posting.enabled = False
    settings.scanning.disabled = True
    settings.peering.standalone = True
    settings.watching.initial_streaming = os.environ.get("TEST_STREAMING") == "1"


@kopf.on.login()
async def login(**_: Any) -> kopf.ConnectionInfo:
    return kopf.ConnectionInfo(server=URL)


@kopf.on.create(*RESOURCE)
@kopf.on.resume(*RESOURCE)
async def create(patch: kopf.Patch, retry: int, meta: kopf.Meta, spec: kopf.Spec, **_: Any) -> None:
    if meta.labels.get("try") == "twice" and retry == 0:
        raise kopf.TemporaryError("not yet", delay=0.2)
    runtime = (spec.get("runtimeRef") or {}).get("name", "none")
    patch.status.update({"observedGeneration": meta["generation"], "runtime": runtime})


@kopf.on.update(*RESOURCE, field="spec")
async def update(patch: kopf.Patch, meta: kopf.Meta, spec: kopf.Spec, **_: Any) -> None:
    patch.status.update({"observedGeneration": meta["generation"], "runtime": spec["runtimeRef"]["name"]})


@kopf.on.delete(*RESOURCE)
async def delete(**_: Any) -> None:
    pass
