"""Label, field, shard and reference selectors of a request, in the grammar of Kubernetes.

Source: "Labels and Selectors" in the documentation of Kubernetes, and apimachinery's ``pkg/labels``.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass

from threeport.common.errors import BadRequest
from threeport.common.types import FrozenJson, Labels
from threeport.krm.interfaces import LabelRequirement, Shard
from threeport.store.records import Key
from threeport.store.selection import NUMBER

_DOMAIN = r"[a-z0-9](?:[-a-z0-9]*[a-z0-9])?(?:\.[a-z0-9](?:[-a-z0-9]*[a-z0-9])?)*"
_NAME = r"[A-Za-z0-9](?:[-A-Za-z0-9_.]{0,61}[A-Za-z0-9])?"
_KEY = rf"(?P<key>(?:{_DOMAIN}/)?{_NAME})"
_VALUE = rf"(?:{_NAME})?"
_REQUIREMENT = re.compile(
    rf"\s*(?:(?P<absent>!)\s*)?{_KEY}\s*(?:(?P<set>in|notin)\s*\((?P<values>[^()]*)\)"
    rf"|(?P<operator>==|=|!=)\s*(?P<value>{_VALUE})|(?P<order>[<>])\s*(?P<number>[0-9]{{1,18}}))?\s*(?:,\s*(?=\S)|$)"
)
_LONGEST_SELECTOR = 16_384


def parse_label_selector(text: str) -> tuple[LabelRequirement, ...]:
    """The requirements of ``a=b,c in (d,e),!f``; raises `BadRequest` with the place where the text goes wrong."""
    if len(text) > _LONGEST_SELECTOR:
        raise BadRequest(f"labelSelector is longer than {_LONGEST_SELECTOR} characters")
    requirements: list[LabelRequirement] = []
    position = 0
    text = text.strip()
    while position < len(text):
        match = _REQUIREMENT.match(text, position)
        if match is None or (match["absent"] and (match["set"] or match["operator"] or match["order"])):
            rest = text[position:]
            raise BadRequest(f"labelSelector {text!r} cannot be understood at {rest!r}; write a=b,c in (d,e)")
        requirements.append(_requirement(match, text))
        position = match.end()
    return tuple(requirements)


def _requirement(match: re.Match[str], text: str) -> LabelRequirement:
    key = match["key"]
    if match["operator"]:
        return key, "notin" if match["operator"] == "!=" else "in", frozenset([match["value"]])
    if match["order"]:
        return key, "gt" if match["order"] == ">" else "lt", frozenset([match["number"]])
    if match["set"]:
        values = [value.strip() for value in match["values"].split(",")]
        if not all(re.fullmatch(_VALUE, value) for value in values):
            raise BadRequest(f"labelSelector {text!r} has a value that no label can have in ({match['values']})")
        return key, "in" if match["set"] == "in" else "notin", frozenset(values)
    return key, "notexists" if match["absent"] else "exists", frozenset()


def labels_match(requirements: Sequence[LabelRequirement], labels: Labels) -> bool:
    """Whether labels fulfil all requirements. ``notin`` holds when the label is absent, as in Kubernetes."""
    return all(_holds(requirement, labels) for requirement in requirements)


def _holds(requirement: LabelRequirement, labels: Labels) -> bool:
    key, operator, values = requirement
    if operator == "in":
        return labels.get(key) in values
    if operator == "notin":
        return labels.get(key) not in values
    if operator in ("gt", "lt"):
        label = labels.get(key, "")
        if not re.fullmatch(NUMBER, label):
            return False
        (number,) = values
        return int(label) > int(number) if operator == "gt" else int(label) < int(number)
    return (key in labels) == (operator == "exists")


@dataclass(frozen=True, slots=True)
class FieldSelector:
    """Requirements on fields: `name` and `namespace` from metadata, `others` by path, ``(path, equal, value)``."""

    name: str | None = None
    namespace: str | None = None
    others: tuple[tuple[str, bool, str], ...] = ()

    @property
    def may_change(self) -> bool:
        """Whether an object that does not match now may have matched before: events never change what they are of."""
        return any(path.startswith(("spec.", "status.")) for path, _, _ in self.others)

    def matches(self, obj: FrozenJson) -> bool:
        """Whether a decoded object fulfils `others`."""
        return all((_text_at(obj, path) == value) == equal for path, equal, value in self.others)


_INVOLVED = ("kind", "namespace", "name", "uid", "apiVersion", "resourceVersion", "fieldPath")
_EVENT_FIELDS = frozenset({"reason", "type", "reportingComponent", *(f"involvedObject.{part}" for part in _INVOLVED)})
_POD_FIELDS = frozenset({"spec.nodeName", "spec.restartPolicy", "status.phase", "spec.serviceAccountName"})
_MOST_SHARDS = 9999
SELECTABLE = {
    "events": _EVENT_FIELDS,
    "pods": _POD_FIELDS,
    "secrets": frozenset({"type"}),
    "namespaces": frozenset({"status.phase"}),
    "jobs.batch": frozenset({"status.successful"}),
    "nodes": frozenset({"spec.unschedulable"}),
}
"""Fields that can be selected beyond name and namespace, as in Kubernetes."""


def parse_field_selector(text: str, resource: str) -> FieldSelector:
    """The requirements of ``metadata.name=x,type!=Normal``; raises `BadRequest` for a field that is not selectable."""
    name = namespace = None
    others: list[tuple[str, bool, str]] = []
    for part in filter(None, re.split(r"(?<!\\),", text)):
        match = re.fullmatch(r"\s*([A-Za-z.]+)\s*(==|=|!=)\s*((?:[^\\=]|\\[\\,=])*?)\s*", part)
        if match is None:
            raise BadRequest(f"fieldSelector {part!r} cannot be understood; write field=value")
        path, operator, escaped = match.groups()
        value = re.sub(r"\\(.)", r"\1", escaped)
        equal = operator != "!="
        if path == "metadata.name" and equal:
            name = value
        elif path == "metadata.namespace" and equal:
            namespace = value
        elif path in SELECTABLE.get(resource, ()) or path in ("metadata.name", "metadata.namespace"):
            others.append((path, equal, value))
        else:
            raise BadRequest(f'field label not supported: "{path}"; select by metadata.name or by labels')
    return FieldSelector(name, namespace, tuple(others))


def _text_at(obj: FrozenJson, path: str) -> str:
    value: object = obj
    for step in path.split("."):
        value = value.get(step) if isinstance(value, dict) else None
    return "" if value is None else str(value).lower() if isinstance(value, bool) else str(value)


_SHARD_RANGE = re.compile(
    r"\s*shardRange\(\s*object\.metadata\.uid\s*,\s*'0x([0-9a-f]{1,17})'\s*,\s*'0x([0-9a-f]{1,17})'\s*\)\s*"
)
_HASHES = 2**64


def _shard_of_range(start: int, end: int) -> Shard | None:
    """The shard that a range of hashes is; None if it is no equal part of all hashes."""
    size = end - start
    if size <= 0 or end > _HASHES or not 1 <= round(_HASHES / size) <= _MOST_SHARDS:
        return None
    count = round(_HASHES / size)
    index = round(start / size)
    borders = (index * _HASHES // count, (index + 1) * _HASHES // count)
    return Shard(index, count) if all(abs(a - b) <= 1 for a, b in zip((start, end), borders, strict=True)) else None


def parse_shard(text: str) -> Shard:
    """The shard of ``0-of-4``, or of Kubernetes' ``shardRange(object.metadata.uid,'0x...','0x...')``.

    Ranges are taken as parts of all hashes, which hash it is is the server's business: those that divide all hashes
    into equal parts divide the objects. Raises `BadRequest`.
    """
    if found := _SHARD_RANGE.fullmatch(text):
        if shard := _shard_of_range(int(found[1], 16), int(found[2], 16)):
            return shard
        raise BadRequest(f"shardSelector {text[:120]!r} is none of several equal parts of 0x0 to 0x10000000000000000")
    match = re.fullmatch(r"(\d{1,4})-of-(\d{1,4})", text)
    if match is None or int(match[1]) >= int(match[2]):
        raise BadRequest(f"shardSelector {text!r} is not of the form <index>-of-<count>, such as 0-of-4")
    return Shard(int(match[1]), int(match[2]))


def parse_reference(text: str) -> Key:
    """The object of ``<resource>/<namespace>/<name>`` (namespace empty if cluster-scoped); raises `BadRequest`."""
    parts = text.split("/")
    if len(parts) != 3 or not parts[0] or not parts[2]:
        raise BadRequest(
            f"referenceSelector {text!r} is not of the form <resource>/<namespace>/<name>, "
            "such as workloaddefinitions.threeport.io/default/wordpress"
        )
    return Key(*parts)
