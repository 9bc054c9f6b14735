"""The kinds that this controller deals with."""

from __future__ import annotations

from typing import Final

from threeport.resources.kind import Kind
from threeport.resources.kubernetes_runtime import KubernetesRuntimeInstance
from threeport.resources.model import kind_of
from threeport.resources.workload import (
    Workload,
    WorkloadDefinition,
    WorkloadDefinitionRevision,
    WorkloadInstance,
    WorkloadReport,
)
from threeport.resources.workload_preview import WorkloadPreview

WORKLOAD: Final[Kind] = kind_of(Workload)
DEFINITION: Final[Kind] = kind_of(WorkloadDefinition)
REVISION: Final[Kind] = kind_of(WorkloadDefinitionRevision)
INSTANCE: Final[Kind] = kind_of(WorkloadInstance)
REPORT: Final[Kind] = kind_of(WorkloadReport)
PREVIEW: Final[Kind] = kind_of(WorkloadPreview)
RUNTIME: Final[Kind] = kind_of(KubernetesRuntimeInstance)
