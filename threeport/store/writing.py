"""Carries writes out: one statement for single writes of the same moment, one transaction for several that belong
together.

When the connection is lost before the answer, it is looked up whether the change was made before it is repeated. When
a statement changed nothing, `threeport.store.diagnosis` finds out why.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import NamedTuple

import orjson

from threeport.common.revisions import SECOND, TRANSACTION_LIMIT, RevisionClock, micros_of, next_revision
from threeport.store.database import Connection, Database, OutcomeUnknown, fetch
from threeport.store.diagnosis import NameTakenMeanwhile, TryAgain, explain, named, refuse_referenced
from threeport.store.records import (
    Fence,
    NameTaken,
    Operation,
    StaleRevision,
    StoreBusy,
    StoredObject,
    StoreUnavailable,
    TookTooLong,
    Write,
)
from threeport.store.rows import COLUMNS, stored
from threeport.store.singles import Attempt, Singles
from threeport.store.statements import (
    ADD_REFERENCES,
    FORGET_REFERENCES,
    NOW,
    Shape,
    parameters_of,
    reference_rows,
    row_of,
    shape_of,
    sql_of,
)

ATTEMPTS = 3
"""Of one write: the clock was off, the connection was lost, or what stood in the way has gone meanwhile."""

TOGETHER = 100
LARGEST_STATEMENT = 2_000_000
"""Writes, and bytes of their bodies, that one statement of a transaction makes."""

COMMIT_RESERVE = SECOND // 2
"""Microseconds between the check at the end of a transaction and its commit."""

LAST_CHECK = f"SELECT {NOW}, set_config('idle_in_transaction_session_timeout', '{COMMIT_RESERVE // 1000}', true)"
"""The time, and how many milliseconds the database waits for the COMMIT: one that comes later, because this process
was paused or the network slow, must not make the transaction visible after its time. It holds for this transaction."""

BY_UID = f"""
    SELECT {COLUMNS}, false FROM objects WHERE uid = %(uid)s
    UNION ALL SELECT {COLUMNS}, true FROM tombstones WHERE uid = %(uid)s"""

IN_OUTBOX = "SELECT 1 FROM outbox WHERE uid = %(uid)s AND revision = %(revision)s"


class _Guess(NamedTuple):
    """What a write made, if it was made before the connection was lost. `revision` is None if it cannot be told."""

    write: Write
    revision: int | None
    results: list[StoredObject] | None = None
    """What a transaction made, of which `write` is one."""


class _AnswerLost(TryAgain):
    """Whether the change was made is not known."""

    def __init__(self, error: OutcomeUnknown, guess: _Guess) -> None:
        super().__init__(str(error))
        self.guess = guess


class Writer:
    """Writes to one database with the stamps of one process."""

    def __init__(self, database: Database, clock: RevisionClock) -> None:
        self.database = database
        self.clock = clock
        self._singles = Singles(database, clock)

    async def write(self, writes: Sequence[Write], fence: Fence | None) -> list[StoredObject]:
        """See `threeport.krm.interfaces.ObjectStore.write`."""
        guesses: list[_Guess] = []
        together = len(writes) != 1
        for _ in range(ATTEMPTS):
            try:
                return await self._together(writes, fence) if together else [await self._alone(writes[0], fence)]
            except TryAgain as error:
                reason: Exception = error
                together = together or error.together
                if isinstance(error, _AnswerLost):
                    guesses.append(error.guess)
            except (NameTaken, StaleRevision) as error:
                reason = error
            # A lost statement may still have been at work, so every later refusal may be of its making.
            if (made := await self._made(guesses)) is not None:
                return made
            if not isinstance(reason, TryAgain):
                raise reason
        if isinstance(reason, NameTakenMeanwhile) and not together:
            raise NameTaken(writes[0].key, None) from reason
        failure = StoreUnavailable if isinstance(reason, _AnswerLost) else StoreBusy
        raise failure(f"could not write {', '.join(named(write.key) for write in writes[:3])}: {reason}")

    async def _alone(self, write: Write, fence: Fence | None) -> StoredObject:
        attempt = Attempt(write, fence)
        try:
            revision = await self._singles.make(attempt)
        except OutcomeUnknown as error:
            known = None if write.expected is None else next_revision(write.expected, attempt.stamp, self.clock.node)
            raise _AnswerLost(error, _Guess(write, known)) from error
        if revision is not None:
            return write.outcome(revision)
        async with self.database.reading() as connection:
            return await explain(connection, write, stamp=attempt.stamp, fence=fence)

    async def _together(self, writes: Sequence[Write], fence: Fence | None) -> list[StoredObject]:
        batch = _Batch(self, writes, fence)
        try:
            return await self.database.transaction(batch.run)
        except OutcomeUnknown as error:
            if len(batch.results) < len(writes):  # It did not come to the commit.
                raise TryAgain(str(error)) from error
            results = [batch.results[index] for index in range(len(writes))]
            raise _AnswerLost(error, _Guess(writes[0], results[0].revision, results)) from error

    async def _made(self, guesses: Sequence[_Guess]) -> list[StoredObject] | None:
        for guess in guesses:
            found = await self._outcome(guess.write, guess.revision)
            if found is not None:
                return guess.results or [found]
        return None

    async def _outcome(self, write: Write, revision: int | None) -> StoredObject | None:
        """What the write made, if it was made before the connection was lost.

        A CREATE is known by its uid, which no one else has; other writes by the revision that they must have got. Where
        others have written since, the outbox may still tell; else the write is repeated, and finds itself stale.
        """
        rows = await self.database.read(BY_UID, {"uid": write.uid})
        for *row, deleted in rows:
            if row[4] == revision or write.operation is Operation.CREATE:
                return stored(row, deleted=deleted)
        if revision is None or not await self.database.read(IN_OUTBOX, {"uid": write.uid, "revision": revision}):
            return None
        return write.outcome(revision)


@dataclass(slots=True)
class _Batch:
    """Several writes in one transaction, in order of their keys, so that two of them cannot wait for each other."""

    writer: Writer
    writes: Sequence[Write]
    fence: Fence | None
    results: dict[int, StoredObject] = field(default_factory=dict)

    async def run(self, connection: Connection) -> list[StoredObject]:
        """The body of the transaction; it may run again from its start."""
        self.results.clear()
        first_stamp: int | None = None
        for group in self._groups():
            stamps = [self.writer.clock.stamp() for _ in group]
            first_stamp = first_stamp or stamps[0]
            await self._make(connection, group, stamps)
        await refuse_referenced(connection, [write for write in self.writes if write.refuse_if_referenced])
        if first_stamp is not None:
            await _refuse_late(connection, first_stamp)
        return [self.results[index] for index in range(len(self.writes))]

    def _groups(self) -> list[list[int]]:
        """The writes by index, in order of their keys; those that follow each other and share a shape together."""
        groups: list[list[int]] = []
        for index in sorted(range(len(self.writes)), key=lambda index: self.writes[index].key):
            if groups and self._fits(groups[-1], self.writes[index]):
                groups[-1].append(index)
            else:
                groups.append([index])
        return groups

    def _fits(self, group: Sequence[int], write: Write) -> bool:
        """Whether a write can be made by the statement of a group."""
        others = [self.writes[index] for index in group]
        if self._shape(others[0]) != self._shape(write) or any(other.uid == write.uid for other in others):
            return False
        if write.operation is Operation.UPDATE and (write.references is not None or others[0].references is not None):
            return False
        return (
            len(others) < TOGETHER and sum(len(other.body) for other in others) + len(write.body) <= LARGEST_STATEMENT
        )

    def _shape(self, write: Write) -> Shape:
        return shape_of(write, self.fence, alone=False)

    async def _make(self, connection: Connection, group: Sequence[int], stamps: Sequence[int]) -> None:
        writes = [self.writes[index] for index in group]
        node = self.writer.clock.node
        given = [
            row_of(write, stamp=stamp, node=node, fence=self.fence) for write, stamp in zip(writes, stamps, strict=True)
        ]
        sql = sql_of(self._shape(writes[0]))
        rows = await fetch(connection, sql, parameters_of(given))
        revisions: dict[str, int] = {row[0]: row[1] for row in rows}
        for index, write, stamp in zip(group, writes, stamps, strict=True):
            if write.uid not in revisions:
                await explain(connection, write, stamp=stamp, fence=self.fence)
            self.results[index] = write.outcome(revisions[write.uid])
            if write.operation is Operation.UPDATE and write.references is not None:
                references = orjson.dumps(reference_rows(write)).decode()
                await fetch(connection, FORGET_REFERENCES, {"uid": write.uid})
                await fetch(connection, ADD_REFERENCES, {"uid": write.uid, "refers": references})


async def _refuse_late(connection: Connection, first_stamp: int) -> None:
    """The last statement of a transaction: whoever watches relies on it that commits follow their stamps closely."""
    ((now, _),) = await fetch(connection, LAST_CHECK)
    if now - micros_of(first_stamp) > TRANSACTION_LIMIT - COMMIT_RESERVE:
        raise TookTooLong(f"it took longer than the {TRANSACTION_LIMIT // SECOND} s that a transaction has")
