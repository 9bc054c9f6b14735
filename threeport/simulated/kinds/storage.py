"""Classes of volumes, and leases."""

from __future__ import annotations

from threeport.resources.kind import Column, Kind
from threeport.simulated.kinds.core import AGE
from threeport.simulated.kinds.schemas import root

KINDS = (
    Kind(
        kind="StorageClass", plural="storageclasses", singular="storageclass", group="storage.k8s.io",
        namespaced=False, short_names=("sc",), schema=root(), has_status=False,
        columns=(Column("Provisioner", ".provisioner"), AGE),
    ),
    Kind(
        kind="Lease", plural="leases", singular="lease", group="coordination.k8s.io", schema=root(),
        has_status=False, columns=(Column("Holder", ".spec.holderIdentity"), AGE),
    ),
)  # fmt: skip
