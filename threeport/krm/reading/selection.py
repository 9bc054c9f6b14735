"""Which objects a list or a watch is about: what path, selectors and door say together."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal, TypeAlias

from threeport.krm.interfaces import Action, Caller, LabelRequirement, Shard
from threeport.krm.paths import Target
from threeport.krm.reading.selectors import (
    FieldSelector,
    parse_field_selector,
    parse_label_selector,
    parse_reference,
    parse_shard,
)
from threeport.resources.kind import Kind
from threeport.store.records import Key, Listing

CollectionVerb: TypeAlias = Literal["list", "watch", "deletecollection"]


@dataclass(frozen=True, slots=True)
class Selection:
    """Which objects of a kind a list or watch is about."""

    namespace: str | None
    labels: tuple[LabelRequirement, ...] = ()
    fields: FieldSelector = FieldSelector()
    referring_to: Key | None = None
    shard: Shard | None = None

    def listing(self, kind: Kind) -> Listing:
        """What of it the store can tell: all but fields beyond name and namespace."""
        return Listing(
            kind.resource,
            namespace=self.namespace,
            name=self.fields.name,
            labels=self.labels,
            referring_to=self.referring_to,
            shard=self.shard,
        )


def parse_selection(target: Target, query: Mapping[str, str], caller: Caller) -> Selection:
    """The selection that path, query and door make together. Raises `BadRequest`."""
    fields = parse_field_selector(query.get("fieldSelector", ""), target.kind.resource)
    reference = query.get("referenceSelector")
    shard = query.get("shardSelector")
    return Selection(
        namespace=target.namespace or fields.namespace,
        labels=parse_label_selector(query.get("labelSelector", "")),
        fields=fields,
        referring_to=parse_reference(reference) if reference else None,
        shard=parse_shard(shard) if shard else caller.shard,
    )


def action_of(verb: CollectionVerb, target: Target, selection: Selection) -> Action:
    """What the authorizer is asked about a collection, or the part of it that is selected."""
    return Action(verb, target.kind, target.namespace, selection.fields.name or "", labels=selection.labels)


def names_one(target: Target, selection: Selection) -> bool:
    """Whether a selection can hold one object only: it says its name, and its namespace where it has one."""
    return selection.fields.name is not None and bool(selection.namespace or not target.kind.namespaced)
