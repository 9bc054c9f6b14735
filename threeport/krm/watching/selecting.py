"""Which events belong to a watch: those of objects that it selects, or that it selected when they were otherwise."""

from __future__ import annotations

from threeport.common.ids import shard_of
from threeport.krm.reading.selection import Selection
from threeport.krm.reading.selectors import labels_match
from threeport.store.records import StoredObject


def selects(selection: Selection, event: StoredObject) -> bool:
    """Whether the client may know this object: by place, shard, and its labels, now or formerly."""
    key, fields, shard = event.key, selection.fields, selection.shard
    if selection.namespace and key.namespace != selection.namespace:
        return False
    if fields.name is not None and key.name != fields.name:
        return False
    if shard is not None and shard_of(event.uid, shard.count) != shard.index:
        return False
    return matches(selection, event) or _did_match(selection, event)


def matches(selection: Selection, event: StoredObject) -> bool:
    """Whether labels and fields match as they are now."""
    return labels_match(selection.labels, event.labels) and _matches_fields(selection, event)


def _matches_fields(selection: Selection, event: StoredObject) -> bool:
    """Whether fields other than name and namespace match."""
    return not selection.fields.others or selection.fields.matches(event.decoded())


def _did_match(selection: Selection, event: StoredObject) -> bool:
    if not _matches_fields(selection, event) and not selection.fields.may_change:
        return False
    # Former values of fields are not kept: what does not match by one that may change is told as DELETED, known or not.
    if not selection.labels or event.former is None:
        return True
    return any(labels_match(selection.labels, labels) for labels in (event.labels, *event.former))
