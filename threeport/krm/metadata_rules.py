"""What names, labels, annotations, finalizers and owner references look like.

Sources: Kubernetes, "Object Names and IDs", "Labels and Selectors", and ``ValidateObjectMeta`` of apimachinery.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

from threeport.common.errors import Cause, Invalid
from threeport.common.types import FrozenJson
from threeport.resources.kind import Kind

_LABEL = r"[a-z0-9]([-a-z0-9]*[a-z0-9])?"
_SUBDOMAIN = re.compile(rf"{_LABEL}(\.{_LABEL})*")
_NAME_PART = re.compile(r"([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9]")
_PATH_SEGMENT = re.compile(r"[^/%]+")
_LONGEST_MANAGER = 128
_LONGEST_NAME = 253
LONGEST_LABEL = 63
"""Characters of a label's value, and of a name that is made from a prefix."""
_ANNOTATIONS_LIMIT = 256 * 1024
_LABELS_LIMIT = 64 * 1024
"""Bytes of all labels. Kubernetes knows no such limit; here they are indexed, and former ones are kept for watches."""

_STRICT_NAMES = {"namespaces"}
_PATH_NAMES = {"rbac.authorization.k8s.io"}
MANAGER_RULE = f"1 to {_LONGEST_MANAGER} printable characters"


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
        longest = LONGEST_LABEL if kind.resource in _STRICT_NAMES else _LONGEST_NAME
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
    return prefix_valid and len(name) <= LONGEST_LABEL and _NAME_PART.fullmatch(name) is not None


def _label_causes(labels: Any) -> Iterator[Cause]:
    if labels is not None and not isinstance(labels, dict):
        yield Cause("metadata.labels", "must be an object")
        return
    for key, value in (labels or {}).items():
        if not _is_qualified(key):
            yield Cause("metadata.labels", f"{key[:80]!r} is not a label key, such as example.com/tier")
        valid = isinstance(value, str) and len(value) <= LONGEST_LABEL
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
