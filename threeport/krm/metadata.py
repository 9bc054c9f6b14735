"""The rules of ``metadata``: what names and labels look like, and which fields only the server writes.

Sources: Kubernetes, "Object Names and IDs", "Labels and Selectors", and ``ValidateObjectMeta`` of apimachinery.
"""

from __future__ import annotations

import random
import re
import time
from collections.abc import Iterator
from typing import Any

from threeport.common.errors import BadRequest, Cause, Conflict, Invalid
from threeport.common.ids import new_uid
from threeport.common.types import FrozenJson, JsonObject
from threeport.krm.patches import takes_strategic
from threeport.krm.paths import Target
from threeport.resources.kind import Kind

_LABEL = r"[a-z0-9]([-a-z0-9]*[a-z0-9])?"
_SUBDOMAIN = re.compile(rf"{_LABEL}(\.{_LABEL})*")
_NAME_PART = re.compile(r"([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9]")
_PATH_SEGMENT = re.compile(r"[^/%]+")
_LONGEST_MANAGER = 128
_LONGEST_NAME, _LONGEST_LABEL = 253, 63
_ANNOTATIONS_LIMIT = 256 * 1024
_LABELS_LIMIT = 64 * 1024
"""Bytes of all labels. Kubernetes knows no such limit; here they are indexed, and former ones are kept for watches."""
_ALPHABET = "bcdfghjklmnpqrstvwxz2456789"
"""Letters and digits of generated names: no vowels, so no words (apimachinery, ``pkg/util/rand``)."""

MANAGED = ("uid", "creationTimestamp", "deletionTimestamp", "deletionGracePeriodSeconds", "generation", "selfLink")
"""Fields that only the server writes; what a client says of them is ignored."""

_STRICT_NAMES = {"namespaces"}
_PATH_NAMES = {"rbac.authorization.k8s.io"}
MANAGER_RULE = f"1 to {_LONGEST_MANAGER} printable characters"


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
    return prefix[: _LONGEST_LABEL - 5] + "".join(random.choices(_ALPHABET, k=5))


def check_metadata(obj: FrozenJson, kind: Kind) -> None:
    """Raises `Invalid` with a cause for each name, label, annotation or finalizer that is not as it must be."""
    metadata = obj["metadata"]
    causes = [
        *_name_causes(metadata.get("name"), kind),
        *_label_causes(metadata.get("labels")),
        *_annotation_causes(metadata.get("annotations")),
        *_finalizer_causes(metadata.get("finalizers")),
        *_owner_causes(metadata.get("ownerReferences")),
    ]
    if causes:
        name = str(metadata.get("name") or "")[:_LONGEST_NAME]
        said = "; ".join(f"{cause.field}: {cause.message}" for cause in causes)
        raise Invalid(f'{kind.kind} "{name}" is invalid: {said}', kind=kind.plural, name=name, causes=causes)


def _name_causes(name: Any, kind: Kind) -> Iterator[Cause]:
    if not isinstance(name, str) or not name:
        yield Cause("metadata.name", "name or generateName is required", "FieldValueRequired")
        return
    if kind.group in _PATH_NAMES:
        valid = len(name) <= _LONGEST_NAME and name not in (".", "..") and bool(_PATH_SEGMENT.fullmatch(name))
    else:
        longest = _LONGEST_LABEL if kind.resource in _STRICT_NAMES else _LONGEST_NAME
        dots_allowed = kind.resource not in _STRICT_NAMES or "." not in name
        valid = len(name) <= longest and dots_allowed and bool(_SUBDOMAIN.fullmatch(name))
    if not valid:
        text = "must be lower-case letters, digits, '-' or '.', begin and end with a letter or digit, at most 253 long"
        yield Cause("metadata.name", f"{name[:80]!r} {text}")


def _is_qualified(key: Any) -> bool:
    if not isinstance(key, str):
        return False
    prefix, slash, name = key.rpartition("/")
    prefix_valid = not slash or (len(prefix) <= _LONGEST_NAME and _SUBDOMAIN.fullmatch(prefix.lower()) is not None)
    return prefix_valid and len(name) <= _LONGEST_LABEL and _NAME_PART.fullmatch(name) is not None


def _label_causes(labels: Any) -> Iterator[Cause]:
    if labels is not None and not isinstance(labels, dict):
        yield Cause("metadata.labels", "must be an object")
        return
    for key, value in (labels or {}).items():
        if not _is_qualified(key):
            yield Cause("metadata.labels", f"{key[:80]!r} is not a label key, such as example.com/tier")
        valid = isinstance(value, str) and len(value) <= _LONGEST_LABEL
        if not valid or (value and not _NAME_PART.fullmatch(value)):
            text = "must be text of at most 63 letters, digits, '-', '_' or '.', begin and end with a letter or digit"
            yield Cause(f"metadata.labels[{key[:80]}]", f"{str(value)[:80]!r} {text}")
    if sum(len(key) + len(str(value)) for key, value in (labels or {}).items()) > _LABELS_LIMIT:
        yield Cause("metadata.labels", f"must be at most {_LABELS_LIMIT} bytes in all", "FieldValueTooLong")


def _annotation_causes(annotations: Any) -> Iterator[Cause]:
    if annotations is not None and not isinstance(annotations, dict):
        yield Cause("metadata.annotations", "must be an object")
        return
    for key, value in (annotations or {}).items():
        if not _is_qualified(key):
            yield Cause("metadata.annotations", f"{key[:80]!r} is not an annotation key, such as example.com/note")
        if not isinstance(value, str):
            yield Cause(f"metadata.annotations[{key[:80]}]", "must be text; put it in quotes")
    if sum(len(key) + len(str(value)) for key, value in (annotations or {}).items()) > _ANNOTATIONS_LIMIT:
        yield Cause("metadata.annotations", f"must be at most {_ANNOTATIONS_LIMIT} bytes in all", "FieldValueTooLong")


def _finalizer_causes(finalizers: Any) -> Iterator[Cause]:
    if finalizers is not None and not isinstance(finalizers, list):
        yield Cause("metadata.finalizers", "must be a list")
        return
    for index, finalizer in enumerate(finalizers or ()):
        if not _is_qualified(finalizer):
            yield Cause(f"metadata.finalizers[{index}]", "must be a name such as example.com/finalizer")


def is_manager(name: str) -> bool:
    """Whether a field manager may be called so: `MANAGER_RULE`."""
    return 0 < len(name) <= _LONGEST_MANAGER and name.isprintable()


def _owner_causes(owners: Any) -> Iterator[Cause]:
    if owners is not None and not isinstance(owners, list):
        yield Cause("metadata.ownerReferences", "must be a list")
        return
    for index, owner in enumerate(owners or ()):
        fields = ("apiVersion", "kind", "name", "uid")
        if not isinstance(owner, dict) or not all(
            isinstance(text := owner.get(field), str) and text for field in fields
        ):
            yield Cause(f"metadata.ownerReferences[{index}]", f"must have {', '.join(fields)}")
