"""The statements that write an object: each makes the change, its notification and its references in one go.

A statement changes nothing, and returns no row, when one of its conditions does not hold: the writer then finds out
which (`threeport.store.writing`). Each table is changed at most once in a statement, as CockroachDB demands.
"""

from __future__ import annotations

from dataclasses import dataclass

import orjson

from threeport.common.ids import shard_hash
from threeport.common.revisions import SKEW_LIMIT
from threeport.store.records import Fence, Operation, ReferenceTarget, Write

NOW = "(extract(epoch FROM clock_timestamp()) * 1000000)::BIGINT"
"""The clock of the database in microseconds since the epoch."""

SAME_KEY = "resource = %(resource)s::TEXT AND namespace = %(namespace)s::TEXT AND name = %(name)s::TEXT"

ON_TIME = f"abs((%(stamp)s::BIGINT >> 10) - {NOW}) <= {SKEW_LIMIT}"

FENCED = "EXISTS (SELECT 1 FROM leases WHERE leases.name = %(lease)s::TEXT AND leases.epoch = %(epoch)s::BIGINT)"

BLOCKERS = """
    SELECT f.resource, f.namespace, f.name
    FROM object_references AS r JOIN objects AS f ON f.uid = r.from_uid
    WHERE r.to_resource = %(resource)s::TEXT AND r.to_namespace = %(namespace)s::TEXT AND r.to_name = %(name)s::TEXT
    AND r.blocks_deletion
    AND (f.resource, f.namespace, f.name) <> (%(resource)s::TEXT, %(namespace)s::TEXT, %(name)s::TEXT)"""
"""Who refers to an object with a reference that blocks its deletion; an object does not block itself."""

UNREFERENCED = f"NOT EXISTS ({BLOCKERS})"

GIVEN_REFERENCES = """
    jsonb_to_recordset(%(references)s::JSONB)
    AS given (resource TEXT, namespace TEXT, name TEXT, blocks BOOLEAN)"""

SAME_REFERENCES = f"""
    (SELECT count(*) FROM object_references AS r WHERE r.from_uid = %(uid)s::TEXT) = %(reference_count)s::BIGINT
    AND NOT EXISTS (
        SELECT 1 FROM {GIVEN_REFERENCES}
        LEFT JOIN object_references AS r ON r.from_uid = %(uid)s::TEXT AND r.to_resource = given.resource
        AND r.to_namespace = given.namespace AND r.to_name = given.name AND r.blocks_deletion = given.blocks
        WHERE r.from_uid IS NULL
    )"""


def _revision_after(previous: str) -> str:
    """`threeport.common.revisions.next_revision` in SQL."""
    return f"greatest(%(stamp)s::BIGINT, (((({previous}) >> 10) + 1) << 10) | %(node)s::BIGINT)"


NOTED = """, noted AS (
    INSERT INTO outbox (uid, revision, resource, namespace, name)
    SELECT uid, revision, %(resource)s::TEXT, %(namespace)s::TEXT, %(name)s::TEXT FROM written
)
SELECT revision FROM written"""

REFERRED = f""", referred AS (
    INSERT INTO object_references (from_uid, to_resource, to_namespace, to_name, blocks_deletion)
    SELECT %(uid)s::TEXT, given.resource, given.namespace, given.name, given.blocks
    FROM written, {GIVEN_REFERENCES}
)"""

CREATED = f"""WITH prior AS (
    SELECT coalesce(max(revision), 0) AS revision FROM tombstones WHERE {SAME_KEY}
), written AS (
    INSERT INTO objects
    (resource, namespace, name, uid, revision, generation, deleting, shard, labels, former, bookkeeping, body)
    SELECT %(resource)s::TEXT, %(namespace)s::TEXT, %(name)s::TEXT, %(uid)s::TEXT, {_revision_after("prior.revision")},
        %(generation)s::BIGINT, %(deleting)s::BOOLEAN, %(shard)s::BIGINT, %(labels)s::JSONB, %(former)s::JSONB,
        %(bookkeeping)s::TEXT, %(body)s::TEXT
    FROM prior WHERE {{conditions}}
    ON CONFLICT DO NOTHING
    RETURNING uid, revision
)"""

UPDATED = f"""WITH written AS (
    UPDATE objects SET
        revision = {_revision_after("objects.revision")},
        generation = %(generation)s::BIGINT, deleting = %(deleting)s::BOOLEAN, labels = %(labels)s::JSONB,
        former = %(former)s::JSONB, bookkeeping = %(bookkeeping)s::TEXT, body = %(body)s::TEXT
    WHERE {SAME_KEY} AND {{conditions}}
    RETURNING uid, revision
)"""

DELETED = f"""WITH gone AS (
    DELETE FROM objects WHERE {SAME_KEY} AND {{conditions}} RETURNING revision
), written AS (
    INSERT INTO tombstones
    (uid, resource, namespace, name, revision, generation, deleting, labels, former, bookkeeping, body)
    SELECT %(uid)s::TEXT, %(resource)s::TEXT, %(namespace)s::TEXT, %(name)s::TEXT, {_revision_after("gone.revision")},
        %(generation)s::BIGINT, %(deleting)s::BOOLEAN, %(labels)s::JSONB, %(former)s::JSONB,
        %(bookkeeping)s::TEXT, %(body)s::TEXT
    FROM gone
    RETURNING uid, revision
), unreferred AS (
    DELETE FROM object_references WHERE from_uid IN (SELECT uid FROM written)
)"""

FORGET_REFERENCES = "DELETE FROM object_references WHERE from_uid = %(uid)s::TEXT"

ADD_REFERENCES = f"""
    INSERT INTO object_references (from_uid, to_resource, to_namespace, to_name, blocks_deletion)
    SELECT %(uid)s::TEXT, given.resource, given.namespace, given.name, given.blocks FROM {GIVEN_REFERENCES}"""


@dataclass(frozen=True, slots=True)
class Statement:
    """SQL and its parameters."""

    sql: str
    parameters: dict[str, object]


def statement_of(write: Write, *, stamp: int, node: int, fence: Fence | None, alone: bool) -> Statement:
    """The statement of a write. `alone` says that it is the whole transaction: then it also refuses what must not be
    referred to, and an UPDATE refuses references other than those that stand, which takes more than one statement."""
    parameters = key_parameters(write) | {
        "uid": write.uid,
        "stamp": stamp,
        "node": node,
        "generation": write.generation,
        "deleting": write.deleting,
        "shard": shard_hash(write.uid),
        "labels": orjson.dumps(write.labels).decode() if write.labels else "{}",
        "former": None if write.former is None else orjson.dumps(write.former).decode(),
        "bookkeeping": orjson.dumps(write.bookkeeping).decode() if write.bookkeeping else "{}",
        "body": write.body,
        **reference_parameters(write),
    }
    if fence is not None:
        parameters |= {"lease": fence.lease, "epoch": fence.epoch}
    if write.expected is not None:
        parameters["expected"] = write.expected
    conditions = " AND ".join(_conditions(write, fenced=fence is not None, alone=alone))
    return Statement(_template(write).replace("{conditions}", conditions), parameters)


def key_parameters(write: Write) -> dict[str, object]:
    """The parameters of `SAME_KEY` and `BLOCKERS`."""
    return dict(write.key._asdict())


def reference_parameters(write: Write) -> dict[str, object]:
    """The parameters of `GIVEN_REFERENCES` and `SAME_REFERENCES`."""
    references = _merged(write.references or ())
    return {"references": orjson.dumps(references).decode(), "reference_count": len(references)}


def _merged(references: tuple[ReferenceTarget, ...]) -> list[dict[str, object]]:
    """Two references to one object are one, which blocks if either does."""
    blocking: dict[tuple[str, str, str], bool] = {}
    for target in references:
        blocking[target.key] = blocking.get(target.key, False) or target.blocks_deletion
    return [
        {"resource": resource, "namespace": namespace, "name": name, "blocks": blocks}
        for (resource, namespace, name), blocks in blocking.items()
    ]


def _template(write: Write) -> str:
    match write.operation:
        case Operation.CREATE:
            return CREATED + (REFERRED if write.references else "") + NOTED
        case Operation.UPDATE:
            return UPDATED + NOTED
        case Operation.DELETE:
            return DELETED + NOTED


def _conditions(write: Write, *, fenced: bool, alone: bool) -> list[str]:
    conditions = [ON_TIME]
    if fenced:
        conditions.append(FENCED)
    if write.operation is not Operation.CREATE:
        conditions.append("objects.uid = %(uid)s::TEXT")
        if write.expected is not None:
            conditions.append("objects.revision = %(expected)s::BIGINT")
    if alone and write.refuse_if_referenced:
        conditions.append(UNREFERENCED)
    if alone and write.operation is Operation.UPDATE and write.references is not None:
        conditions.append(SAME_REFERENCES)
    return conditions
