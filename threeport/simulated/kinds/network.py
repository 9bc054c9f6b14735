"""How pods are reached."""

from __future__ import annotations

from threeport.resources.kind import Column, Kind
from threeport.simulated.kinds.core import AGE
from threeport.simulated.kinds.schemas import root

_GROUP = "networking.k8s.io"

KINDS = (
    Kind(
        kind="Ingress", plural="ingresses", singular="ingress", group=_GROUP, short_names=("ing",), schema=root(),
        columns=(
            Column("Class", ".spec.ingressClassName"),
            Column("Hosts", ".spec.rules[0].host"),
            Column("Address", ".status.loadBalancer.ingress[0].ip"),
            AGE,
        ),
    ),
    Kind(
        kind="IngressClass", plural="ingressclasses", singular="ingressclass", group=_GROUP, namespaced=False,
        schema=root(), columns=(AGE,), has_status=False,
    ),
    Kind(
        kind="NetworkPolicy", plural="networkpolicies", singular="networkpolicy", group=_GROUP,
        short_names=("netpol",), schema=root(), columns=(AGE,), has_status=False,
    ),
)  # fmt: skip
