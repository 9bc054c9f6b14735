"""Pieces of schemas: open objects in which only keyed lists and defaults are spelled out.

Source of the merge keys: the ``+listType=map`` and ``+listMapKey`` markers in Kubernetes' ``k8s.io/api``.
"""

from __future__ import annotations

from typing import Any

from threeport.common.types import FrozenJson, JsonObject

STRING: FrozenJson = {"type": "string"}


def open_object(**properties: FrozenJson) -> JsonObject:
    """An object that keeps any field, of which some are known."""
    schema: JsonObject = {"type": "object", "x-kubernetes-preserve-unknown-fields": True}
    return {**schema, "properties": dict(properties)} if properties else schema


def keyed_list(*keys: str, item: FrozenJson | None = None) -> JsonObject:
    """A list whose items are told apart by `keys`."""
    return {
        "type": "array",
        "x-kubernetes-list-type": "map",
        "x-kubernetes-list-map-keys": list(keys),
        "items": dict(item or open_object()),
    }


def default(kind: str, value: Any) -> JsonObject:
    """A field with a default."""
    return {"type": kind, "default": value}


def root(*, spec: FrozenJson | None = None, status: FrozenJson | None = None) -> JsonObject:
    """The schema of a whole object."""
    known: dict[str, FrozenJson] = {
        "apiVersion": STRING,
        "kind": STRING,
        "metadata": {"type": "object"},
        "status": status or open_object(conditions=CONDITIONS),
    }
    return open_object(**known, **({"spec": spec} if spec else {}))


CONDITIONS = keyed_list("type")

_PROTOCOL = default("string", "TCP")

CONTAINERS = keyed_list(
    "name",
    item=open_object(
        env=keyed_list("name"),
        ports=keyed_list("containerPort", "protocol", item=open_object(protocol=_PROTOCOL)),
        volumeMounts=keyed_list("mountPath"),
        volumeDevices=keyed_list("devicePath"),
    ),
)


def pod_spec(restart_policy: str | None = "Always") -> JsonObject:
    """The spec of a pod; Jobs have no default for the restart policy."""
    known: dict[str, FrozenJson] = {
        "containers": CONTAINERS,
        "initContainers": CONTAINERS,
        "ephemeralContainers": keyed_list("name"),
        "volumes": keyed_list("name"),
        "imagePullSecrets": keyed_list("name"),
        "topologySpreadConstraints": keyed_list("topologyKey", "whenUnsatisfiable"),
        "hostAliases": keyed_list("ip"),
    }
    if restart_policy:
        known["restartPolicy"] = default("string", restart_policy)
    return open_object(**known)


def pod_template(restart_policy: str | None = "Always") -> JsonObject:
    """The template in a Deployment and its like."""
    return open_object(metadata=open_object(), spec=pod_spec(restart_policy))


SERVICE_PORTS = keyed_list("port", "protocol", item=open_object(protocol=_PROTOCOL))
REPLICAS = default("integer", 1)
