"""Which objects a list shows, as SQL: labels, references, shards, and the place to go on from."""

from __future__ import annotations

from dataclasses import dataclass, field

import orjson

from threeport.store.records import Key, LabelRequirement, Listing
from threeport.store.rows import COLUMNS

NUMBER = "^[0-9]{1,18}$"
"""What of all labels ``gt`` and ``lt`` compare: numbers that fit into 64 bits whatever they are."""


@dataclass(slots=True)
class Selection:
    """Conditions on rows of `objects`, all of which must hold, and their parameters in order."""

    conditions: list[str] = field(default_factory=list)
    parameters: list[object] = field(default_factory=list)

    def add(self, condition: str, *parameters: object) -> None:
        """One more condition."""
        self.conditions.append(condition)
        self.parameters.extend(parameters)

    def page(self, limit: int | None, columns: str = COLUMNS) -> str:
        """The query for up to `limit` rows in order of namespace and name."""
        query = f"SELECT {columns} FROM objects WHERE {' AND '.join(self.conditions)} ORDER BY namespace, name"  # noqa: S608
        return query if limit is None else f"{query} LIMIT {int(limit)}"


def select(listing: Listing, *, after: tuple[str, str] | None) -> Selection:
    """The conditions of a list that goes on behind the namespace and name `after`, or begins at the start."""
    selection = Selection()
    selection.add("resource = %s::TEXT", listing.resource)
    if listing.namespace is not None:
        selection.add("namespace = %s::TEXT", listing.namespace)
    if listing.name is not None:
        selection.add("name = %s::TEXT", listing.name)
    for requirement in listing.labels:
        _require(selection, requirement)
    if listing.referring_to is not None:
        _refer(selection, listing.referring_to)
    if (shard := listing.shard) is not None:
        # For `=` PostgreSQL expects one row of 200, and so sorts the whole table for every page; for `<` one of three.
        selection.add("abs(mod(shard, %s::BIGINT) - %s::BIGINT) < 1", shard.count, shard.index)
    if listing.only_deleting:
        selection.add("deleting")
    if after is not None:
        selection.add("(namespace, name) > (%s::TEXT, %s::TEXT)", *after)
    return selection


def _require(selection: Selection, requirement: LabelRequirement) -> None:
    key, operator, values = requirement
    match operator:
        case "exists":
            selection.add("labels ? %s::TEXT", key)
        case "notexists":
            selection.add("NOT (labels ? %s::TEXT)", key)
        case "in" | "notin":
            # `@>` is what the inverted index answers, in PostgreSQL and in CockroachDB.
            contained = " OR ".join(["labels @> %s::JSONB"] * len(values)) or "false"
            negation = "NOT " if operator == "notin" else ""
            selection.add(f"{negation}({contained})", *(_label(key, value) for value in sorted(values)))
        case "gt" | "lt":
            sign = ">" if operator == "gt" else "<"
            (number,) = values
            selection.add(
                f"CASE WHEN labels ->> %s::TEXT ~ '{NUMBER}' THEN (labels ->> %s::TEXT)::BIGINT {sign} %s::BIGINT"
                " ELSE false END",
                key,
                key,
                int(number),
            )


def _refer(selection: Selection, target: Key) -> None:
    selection.add(
        "uid IN (SELECT from_uid FROM object_references"
        " WHERE to_resource = %s::TEXT AND to_namespace = %s::TEXT AND to_name = %s::TEXT)",
        *target,
    )


def _label(key: str, value: str) -> str:
    return orjson.dumps({key: value}).decode()
