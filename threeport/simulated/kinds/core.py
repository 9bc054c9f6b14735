"""The core group."""

from __future__ import annotations

from threeport.resources.core import EVENT_COLUMNS
from threeport.resources.kind import Column, Kind
from threeport.simulated.kinds.schemas import SERVICE_PORTS, default, keyed_list, open_object, pod_spec, root

AGE = Column("Age", ".metadata.creationTimestamp", "date")

KINDS = (
    Kind(
        kind="Namespace", plural="namespaces", singular="namespace", namespaced=False, short_names=("ns",),
        schema=root(), columns=(Column("Status", ".status.phase"), AGE),
    ),
    Kind(
        kind="Node", plural="nodes", singular="node", namespaced=False, short_names=("no",), schema=root(),
        columns=(
            Column("Status", ".status.conditions[?(@.type=='Ready')].reason"),
            AGE,
            Column("Version", ".status.nodeInfo.kubeletVersion"),
        ),
    ),
    Kind(
        kind="Pod", plural="pods", singular="pod", short_names=("po",), categories=("all",),
        schema=root(spec=pod_spec()),
        columns=(
            Column("Ready", ".status.conditions[?(@.type=='Ready')].status"),
            Column("Status", ".status.phase"),
            Column("Reason", ".status.containerStatuses[0].state.waiting.reason"),
            AGE,
            Column("IP", ".status.podIP", priority=1),
            Column("Node", ".spec.nodeName", priority=1),
        ),
    ),
    Kind(
        kind="Service", plural="services", singular="service", short_names=("svc",), categories=("all",),
        schema=root(spec=open_object(ports=SERVICE_PORTS, type=default("string", "ClusterIP"))),
        columns=(
            Column("Type", ".spec.type"),
            Column("Cluster-IP", ".spec.clusterIP"),
            Column("External-IP", ".status.loadBalancer.ingress[0].ip"),
            AGE,
        ),
    ),
    Kind(
        kind="Endpoints", plural="endpoints", singular="endpoints", short_names=("ep",), schema=root(), columns=(AGE,),
        has_status=False,
    ),
    Kind(
        kind="ConfigMap", plural="configmaps", singular="configmap", short_names=("cm",), schema=root(),
        columns=(AGE,), has_status=False,
    ),
    Kind(
        kind="Secret", plural="secrets", singular="secret", schema=root(), has_status=False,
        sensitive=(("data", "*"), ("stringData", "*")), columns=(Column("Type", ".type"), AGE),
    ),
    Kind(
        kind="ServiceAccount", plural="serviceaccounts", singular="serviceaccount", short_names=("sa",),
        schema=open_object(secrets=keyed_list("name"), imagePullSecrets=keyed_list("name")),
        columns=(AGE,), has_status=False,
    ),
    Kind(
        kind="PersistentVolumeClaim", plural="persistentvolumeclaims", singular="persistentvolumeclaim",
        short_names=("pvc",), schema=root(spec=open_object(volumeMode=default("string", "Filesystem"))),
        columns=(
            Column("Status", ".status.phase"),
            Column("Volume", ".spec.volumeName"),
            Column("Capacity", ".status.capacity.storage"),
            Column("StorageClass", ".spec.storageClassName"),
            AGE,
        ),
    ),
    Kind(
        kind="PersistentVolume", plural="persistentvolumes", singular="persistentvolume", namespaced=False,
        short_names=("pv",), schema=root(),
        columns=(
            Column("Capacity", ".spec.capacity.storage"),
            Column("Status", ".status.phase"),
            Column("Claim", ".spec.claimRef.name"),
            AGE,
        ),
    ),
    Kind(
        kind="Event", plural="events", singular="event", short_names=("ev",), schema=root(), has_status=False,
        columns=EVENT_COLUMNS,
    ),
    Kind(
        kind="LimitRange", plural="limitranges", singular="limitrange", short_names=("limits",), schema=root(),
        columns=(AGE,), has_status=False,
    ),
    Kind(
        kind="ResourceQuota", plural="resourcequotas", singular="resourcequota", short_names=("quota",),
        schema=root(), columns=(AGE,),
    ),
)  # fmt: skip
