"""Single writes: those of the same shape and moment are made by one statement, and each has an outcome of its own."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial
from typing import Final

from threeport.common.revisions import RevisionClock
from threeport.store.database import Database
from threeport.store.gathering import Gathering
from threeport.store.records import Fence, Write
from threeport.store.statements import Shape, parameters_of, row_of, shape_of, sql_of

LOCK_PATIENCE: Final = 100
"""Milliseconds that a statement waits for a row that others hold, while it may hold up writes of other rows."""
LARGE: Final = 64 * 1024
"""Characters of a body that goes to the database by itself, so that statements stay small."""


@dataclass(slots=True)
class Attempt:
    """A write on its way."""

    write: Write
    fence: Fence | None
    stamp: int = 0
    """Made when the statement is about to be sent; 0 before."""


class Singles:
    """Makes single writes in one database, with the stamps of one process."""

    def __init__(self, database: Database, clock: RevisionClock) -> None:
        self._database = database
        self._clock = clock
        self._gatherings: dict[Shape, Gathering[Attempt, int | None]] = {}

    async def make(self, attempt: Attempt) -> int | None:
        """The revision that the write got; None if one of its conditions did not hold.

        Raises `StoreUnavailable` when nothing was changed, `OutcomeUnknown` when that is not known.
        """
        shape = shape_of(attempt.write, attempt.fence, alone=True)
        if len(attempt.write.body) > LARGE:
            return (await self._run(shape, [attempt]))[0]
        gathering = self._gatherings.get(shape)
        if gathering is None:
            # Two writes of one object would be one row of the statement's result.
            gathering = self._gatherings[shape] = Gathering(
                partial(self._run, shape, patience=LOCK_PATIENCE), apart=_uid, patiently=partial(self._run, shape)
            )
        return await gathering.ask(attempt)

    async def _run(self, shape: Shape, attempts: Sequence[Attempt], *, patience: int = 0) -> list[int | None]:
        # In order of their keys, so that two statements cannot wait for each other.
        rows = []
        for attempt in sorted(attempts, key=lambda attempt: attempt.write.key):
            attempt.stamp = self._clock.stamp()
            rows.append(row_of(attempt.write, stamp=attempt.stamp, node=self._clock.node, fence=attempt.fence))
        made = await self._database.statement(sql_of(shape), parameters_of(rows, patience=patience))
        revisions: dict[str, int] = {row[0]: row[1] for row in made}
        return [revisions.get(attempt.write.uid) for attempt in attempts]


def _uid(attempt: Attempt) -> str:
    return attempt.write.uid
