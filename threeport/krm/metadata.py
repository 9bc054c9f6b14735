"""Which fields of ``metadata`` only the server writes, and how an object is fitted to the path that it was sent to."""

from __future__ import annotations

import random
import time

from threeport.common.errors import BadRequest, Cause, Conflict, Invalid
from threeport.common.ids import new_uid
from threeport.common.types import FrozenJson, JsonObject
from threeport.krm.metadata_rules import LONGEST_LABEL
from threeport.krm.patches import takes_strategic
from threeport.krm.paths import Target
from threeport.resources.kind import Kind

_ALPHABET = "bcdfghjklmnpqrstvwxz2456789"
"""Letters and digits of generated names: no vowels, so no words (apimachinery, ``pkg/util/rand``)."""

MANAGED = ("uid", "creationTimestamp", "deletionTimestamp", "deletionGracePeriodSeconds", "generation", "selfLink")
"""Fields that only the server writes; what a client says of them is ignored."""


def timestamp() -> str:
    """Now, as Kubernetes writes it: UTC, to the second."""
    return time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime())


def check_shape(obj: JsonObject, kind: Kind) -> None:
    """Raises `BadRequest` unless `obj` says the kind's apiVersion and kind, and its metadata is an object.

    Of kinds that are Kubernetes' own both may be left out, as typed clients do; they are filled in.
    """
    if takes_strategic(kind):
        obj["apiVersion"] = obj.get("apiVersion") or kind.api_version
        obj["kind"] = obj.get("kind") or kind.kind
    found = f"{obj.get('apiVersion')}, Kind={obj.get('kind')}"
    wanted = f"{kind.api_version}, Kind={kind.kind}"
    if found != wanted:
        raise BadRequest(f"the object is of {found}, but this path serves {wanted}; correct the object or the path")
    if not isinstance(obj.get("metadata"), dict):
        raise BadRequest("metadata must be an object with at least a name")


def place(obj: JsonObject, target: Target) -> None:
    """Fits namespace and name of `obj` to the path it was sent to; raises `BadRequest` if they contradict it."""
    metadata = obj["metadata"]
    for field, wanted in (("namespace", target.namespace), ("name", target.name)):
        found = metadata.get(field)
        if wanted and found not in (None, "", wanted):
            raise BadRequest(f"metadata.{field} is {found!r}, but the request was sent to {wanted!r}; make them agree")
        if wanted:
            metadata[field] = wanted
    if not target.kind.namespaced and metadata.pop("namespace", None):
        raise BadRequest(f"{target.kind.kind} is cluster-scoped; leave metadata.namespace out")
    if target.kind.namespaced and not target.namespace:
        raise BadRequest(f"{target.kind.kind} lives in a namespace; send it to .../namespaces/<namespace>/...")


def stamp_new(obj: JsonObject) -> None:
    """Gives a new object its uid, generation and time of creation, and drops what only the server writes."""
    metadata = obj["metadata"]
    for field in MANAGED:
        metadata.pop(field, None)
    if metadata.pop("resourceVersion", None) not in (None, "", "0"):
        raise BadRequest("resourceVersion should not be set on objects to be created; leave it out")
    metadata.update(uid=new_uid(), generation=1, creationTimestamp=timestamp())


def keep_managed(new: JsonObject, old: FrozenJson) -> None:
    """Restores in `new` what only the server writes, and what cannot change: name, namespace, uid.

    Raises `Conflict` if `new` was made from another revision or is meant for another uid, `BadRequest` or
    `Invalid` if it renames.
    """
    wanted, found = new["metadata"], old["metadata"]
    _check_preconditions(wanted, found)
    for field in ("name", "namespace", "generateName"):
        if wanted.get(field) not in (None, "", found.get(field)):
            message = f"metadata.{field} cannot change from {found.get(field)!r} to {wanted[field]!r}"
            if field == "generateName":
                raise Invalid(message, causes=[Cause(f"metadata.{field}", "field is immutable")])
            raise BadRequest(message)
    for field in (*MANAGED, "name", "namespace", "generateName", "resourceVersion"):
        wanted.pop(field, None)
        if field in found:
            wanted[field] = found[field]


def _check_preconditions(wanted: FrozenJson, found: FrozenJson) -> None:
    name = found["name"]
    if wanted.get("uid") not in (None, "", found["uid"]):
        raise Conflict(f"{name!r} has uid {found['uid']}, not {wanted['uid']}: it was created anew", name=name)
    if wanted.get("resourceVersion") not in (None, "", "0", found["resourceVersion"]):
        raise Conflict(
            f"Operation cannot be fulfilled on {name!r}: the object has been modified (it is at resourceVersion "
            f"{found['resourceVersion']}, the request was made from {wanted['resourceVersion']}); "
            "please apply your changes to the latest version and try again",
            name=name,
        )


def generated_name(prefix: str) -> str:
    """`prefix` and five random characters, at most 63 in all."""
    return prefix[: LONGEST_LABEL - 5] + "".join(random.choices(_ALPHABET, k=5))
