"""What the real API server does to built-in kinds before they are stored: some defaults, some refusals."""

from __future__ import annotations

import base64
import hashlib
from typing import Final

from threeport.common.errors import Cause, Invalid
from threeport.common.types import FrozenJson, JsonObject
from threeport.krm.interfaces import Admission
from threeport.resources.kind import Kind

TEMPLATED: Final = ("deployments.apps", "replicasets.apps", "statefulsets.apps", "daemonsets.apps")


class BuiltInRules:
    """Implements `Admitter` for the built-in kinds."""

    async def admit(self, admission: Admission) -> None:
        """Completes or refuses a new version of an object."""
        new, resource = admission.new, admission.kind.resource
        if new is None or admission.subresource:
            return
        if resource == "secrets":
            _encode(new)
        elif resource == "services":
            _allocate(new)
        elif resource == "pods":
            _check_containers(admission.kind, new, new.get("spec") or {}, "spec")
        elif resource in TEMPLATED:
            _check_selector(admission.kind, new, admission.old)


def _encode(secret: JsonObject) -> None:
    """Moves ``stringData`` into ``data`` in base64, as the write-only field that it is."""
    clear = secret.pop("stringData", None) or {}
    secret.setdefault("type", "Opaque")
    if clear:
        encoded = {key: base64.b64encode(str(value).encode()).decode() for key, value in clear.items()}
        secret["data"] = {**(secret.get("data") or {}), **encoded}


def _allocate(service: JsonObject) -> None:
    """An address in the range of services that stays the same for the service."""
    spec = service.setdefault("spec", {})
    if spec.get("type") == "ExternalName" or spec.get("clusterIP"):
        return
    high, low = hashlib.sha256(service["metadata"]["uid"].encode()).digest()[:2]
    spec["clusterIP"] = f"10.96.{high}.{max(2, min(low, 254))}"
    spec["clusterIPs"] = [spec["clusterIP"]]


def _check_selector(kind: Kind, new: FrozenJson, old: FrozenJson | None) -> None:
    spec = new.get("spec") or {}
    template = spec.get("template") or {}
    selector = (spec.get("selector") or {}).get("matchLabels") or {}
    labels = (template.get("metadata") or {}).get("labels") or {}
    if not spec.get("selector"):
        raise _invalid(kind, new, "spec.selector", "Required value")
    if any(labels.get(key) != value for key, value in selector.items()):
        message = "`selector` does not match template `labels`"
        raise _invalid(kind, new, "spec.template.metadata.labels", message)
    if old is not None and (old.get("spec") or {}).get("selector") != spec["selector"]:
        raise _invalid(kind, new, "spec.selector", "field is immutable")
    _check_containers(kind, new, template.get("spec") or {}, "spec.template.spec")


def _check_containers(kind: Kind, new: FrozenJson, spec: FrozenJson, path: str) -> None:
    containers = spec.get("containers")
    if not isinstance(containers, list) or not containers:
        raise _invalid(kind, new, f"{path}.containers", "Required value")
    for index, container in enumerate(containers):
        for field in ("name", "image"):
            if not isinstance(container, dict) or not container.get(field):
                raise _invalid(kind, new, f"{path}.containers[{index}].{field}", "Required value")


def _invalid(kind: Kind, obj: FrozenJson, field: str, message: str) -> Invalid:
    name = obj["metadata"]["name"]
    return Invalid(
        f'{kind.kind}.{kind.group} "{name}" is invalid: {field}: {message}',
        kind=kind.plural,
        name=name,
        causes=[Cause(field, message)],
    )
