"""The statements that write objects: each makes the changes, their notifications and references in one go.

A statement leaves an object as it is, and returns no row for it, when one of the conditions does not hold: the writer
then finds out which (`threeport.store.writing`). Each table is changed at most once in a statement, as CockroachDB
demands.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from functools import cache
from typing import NamedTuple

import orjson

from threeport.common.ids import shard_hash
from threeport.common.revisions import SKEW_LIMIT
from threeport.common.types import JsonObject
from threeport.store.records import Fence, Operation, Write

NOW = "(extract(epoch FROM clock_timestamp()) * 1000000)::BIGINT"
"""The clock of the database in microseconds since the epoch."""

SAME_KEY = "resource = %(resource)s::TEXT AND namespace = %(namespace)s::TEXT AND name = %(name)s::TEXT"


def _blockers_of(resource: str, namespace: str, name: str) -> str:
    return f"""
    SELECT f.resource, f.namespace, f.name
    FROM object_references AS r JOIN objects AS f ON f.uid = r.from_uid
    WHERE r.to_resource = {resource} AND r.to_namespace = {namespace} AND r.to_name = {name}
    AND r.blocks_deletion
    AND (f.resource, f.namespace, f.name) <> ({resource}, {namespace}, {name})"""


BLOCKERS = _blockers_of("%(resource)s::TEXT", "%(namespace)s::TEXT", "%(name)s::TEXT")
"""Who refers to an object with a reference that blocks its deletion; an object does not block itself."""

REFERRED_TO = f"""
    SELECT given.position FROM jsonb_to_recordset(%(keys)s::JSONB)
        AS given (position BIGINT, resource TEXT, namespace TEXT, name TEXT)
    WHERE EXISTS ({_blockers_of("given.resource", "given.namespace", "given.name")})
    ORDER BY given.position LIMIT 1"""
"""Which of several keys is the first that others refer to."""

GIVEN = """WITH patience AS (
    SELECT set_config('lock_timeout', %(patience)s::TEXT, true)
), given AS (
    SELECT w.* FROM patience, jsonb_to_recordset(%(writes)s::JSONB) AS w (
        resource TEXT, namespace TEXT, name TEXT, uid TEXT, stamp BIGINT, node BIGINT, generation BIGINT,
        deleting BOOLEAN, shard BIGINT, labels JSONB, former JSONB, bookkeeping TEXT, body TEXT, expected BIGINT,
        lease TEXT, epoch BIGINT, refers JSONB, reference_count BIGINT
    )
), """
"""The writes, each a row; one parameter costs less than one for every field of every write. How long to wait for a lock
is set before the first of them is made, and for this transaction only."""

ON_TIME = f"abs((given.stamp >> 10) - {NOW}) <= {SKEW_LIMIT}"

FENCED = "EXISTS (SELECT 1 FROM leases WHERE leases.name = given.lease AND leases.epoch = given.epoch)"

UNREFERENCED = f"NOT EXISTS ({_blockers_of('given.resource', 'given.namespace', 'given.name')})"

_REFERENCE = "(resource TEXT, namespace TEXT, name TEXT, blocks BOOLEAN)"

SAME_REFERENCES = f"""
    (SELECT count(*) FROM object_references AS r WHERE r.from_uid = given.uid) = given.reference_count
    AND NOT EXISTS (
        SELECT 1 FROM jsonb_to_recordset(given.refers) AS wanted {_REFERENCE}
        LEFT JOIN object_references AS r ON r.from_uid = given.uid AND r.to_resource = wanted.resource
        AND r.to_namespace = wanted.namespace AND r.to_name = wanted.name AND r.blocks_deletion = wanted.blocks
        WHERE r.from_uid IS NULL
    )"""


def _revision_after(previous: str) -> str:
    """`threeport.common.revisions.next_revision` in SQL."""
    return f"greatest(given.stamp, (((({previous}) >> 10) + 1) << 10) | given.node)"


NOTED = """, noted AS (
    INSERT INTO outbox (uid, revision, resource, namespace, name)
    SELECT uid, revision, resource, namespace, name FROM written
)
SELECT uid, revision FROM written"""

REFERRED = f""", referred AS (
    INSERT INTO object_references (from_uid, to_resource, to_namespace, to_name, blocks_deletion)
    SELECT written.uid, wanted.resource, wanted.namespace, wanted.name, wanted.blocks
    FROM written JOIN given ON given.uid = written.uid, jsonb_to_recordset(given.refers) AS wanted {_REFERENCE}
)"""

_TOMBSTONES = """SELECT coalesce(max(t.revision), 0) FROM tombstones AS t
        WHERE t.resource = given.resource AND t.namespace = given.namespace AND t.name = given.name"""

CREATED = f"""written AS (
    INSERT INTO objects
    (resource, namespace, name, uid, revision, generation, deleting, shard, labels, former, bookkeeping, body)
    SELECT given.resource, given.namespace, given.name, given.uid,
        {_revision_after(_TOMBSTONES)}, given.generation,
        given.deleting, given.shard, given.labels, given.former, given.bookkeeping, given.body
    FROM given WHERE {{conditions}}
    ON CONFLICT DO NOTHING
    RETURNING uid, revision, resource, namespace, name
)"""

UPDATED = f"""written AS (
    UPDATE objects SET
        revision = {_revision_after("objects.revision")},
        generation = given.generation, deleting = given.deleting, labels = given.labels,
        former = given.former, bookkeeping = given.bookkeeping, body = given.body
    FROM given WHERE {{conditions}}
    RETURNING objects.uid, objects.revision, objects.resource, objects.namespace, objects.name
)"""

DELETED = f"""gone AS (
    DELETE FROM objects USING given WHERE {{conditions}} RETURNING objects.uid, objects.revision
), written AS (
    INSERT INTO tombstones
    (uid, resource, namespace, name, revision, generation, deleting, labels, former, bookkeeping, body)
    SELECT given.uid, given.resource, given.namespace, given.name, {_revision_after("gone.revision")},
        given.generation, given.deleting, given.labels, given.former, given.bookkeeping, given.body
    FROM gone JOIN given ON given.uid = gone.uid
    RETURNING uid, revision, resource, namespace, name
), unreferred AS (
    DELETE FROM object_references WHERE from_uid IN (SELECT uid FROM written)
)"""

FORGET_REFERENCES = "DELETE FROM object_references WHERE from_uid = %(uid)s::TEXT"

ADD_REFERENCES = f"""
    INSERT INTO object_references (from_uid, to_resource, to_namespace, to_name, blocks_deletion)
    SELECT %(uid)s::TEXT, wanted.resource, wanted.namespace, wanted.name, wanted.blocks
    FROM jsonb_to_recordset(%(refers)s::JSONB) AS wanted {_REFERENCE}"""


class Shape(NamedTuple):
    """What the statement of a write depends on. Writes of one shape can be made by one statement, if they are of
    different objects: it returns the uids of those that it made."""

    operation: Operation
    fenced: bool
    expecting: bool
    referring: bool
    unreferenced: bool
    """Refuses to change what is referred to."""
    same_references: bool
    """Refuses references other than those that stand, which takes more than one statement."""


def shape_of(write: Write, fence: Fence | None, *, alone: bool) -> Shape:
    """The shape of a write. `alone` says that its statement is the whole transaction, so that it judges itself what
    otherwise is judged at the end of the transaction."""
    return Shape(
        operation=write.operation,
        fenced=fence is not None,
        expecting=write.expected is not None,
        referring=bool(write.references),
        unreferenced=alone and write.refuse_if_referenced,
        same_references=alone and write.operation is Operation.UPDATE and write.references is not None,
    )


@cache
def sql_of(shape: Shape) -> str:
    """The statement for writes of a shape; it returns uid and revision of those that it made."""
    conditions = " AND ".join(_conditions(shape))
    return GIVEN + _template(shape).replace("{conditions}", conditions) + NOTED


def parameters_of(rows: Sequence[JsonObject], *, patience: int = 0) -> dict[str, object]:
    """The parameters of `sql_of`, from what `row_of` makes of the writes.

    `patience`: after how many milliseconds of waiting for a row that others hold it gives up (`RowLocked`); 0: never.
    """
    return {"writes": orjson.dumps(rows).decode(), "patience": str(patience)}


def row_of(write: Write, *, stamp: int, node: int, fence: Fence | None) -> JsonObject:
    """A write as its statement takes it."""
    references = reference_rows(write)
    return {
        **write.key._asdict(),
        "uid": write.uid,
        "stamp": stamp,
        "node": node,
        "generation": write.generation,
        "deleting": write.deleting,
        "shard": shard_hash(write.uid),
        "labels": write.labels,
        "former": write.former,
        "bookkeeping": orjson.dumps(write.bookkeeping).decode() if write.bookkeeping else "{}",
        "body": write.body,
        "expected": write.expected,
        "lease": fence.lease if fence else None,
        "epoch": fence.epoch if fence else None,
        "refers": references,
        "reference_count": len(references),
    }


def reference_rows(write: Write) -> list[JsonObject]:
    """What a write refers to. Two references to one object are one, which blocks if either does."""
    blocking: dict[tuple[str, str, str], bool] = {}
    for target in write.references or ():
        blocking[target.key] = blocking.get(target.key, False) or target.blocks_deletion
    return [
        {"resource": resource, "namespace": namespace, "name": name, "blocks": blocks}
        for (resource, namespace, name), blocks in blocking.items()
    ]


def _template(shape: Shape) -> str:
    match shape.operation:
        case Operation.CREATE:
            return CREATED + (REFERRED if shape.referring else "")
        case Operation.UPDATE:
            return UPDATED
        case Operation.DELETE:
            return DELETED


def _conditions(shape: Shape) -> Iterator[str]:
    yield ON_TIME
    if shape.fenced:
        yield FENCED
    if shape.operation is not Operation.CREATE:
        yield "objects.resource = given.resource AND objects.namespace = given.namespace AND objects.name = given.name"
        yield "objects.uid = given.uid"
        if shape.expecting:
            yield "objects.revision = given.expected"
    if shape.unreferenced:
        yield UNREFERENCED
    if shape.same_references:
        yield SAME_REFERENCES
