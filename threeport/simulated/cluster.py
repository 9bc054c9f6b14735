"""One simulated cluster: a schema of the database, the API on it, and the controllers."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Sequence
from typing import Final

from threeport.common.revisions import RevisionClock
from threeport.events.hub import Hub
from threeport.events.tasks import start, stop
from threeport.krm.server import KrmServer
from threeport.simulated.admission import BuiltInRules
from threeport.simulated.contents import VERSION, fill
from threeport.simulated.controllers import all_controllers
from threeport.simulated.controllers.controller import ControllerQueue
from threeport.simulated.kinds import built_in_kinds
from threeport.simulated.kinds.extensions import kind_of_definition
from threeport.simulated.rbac import RbacAuthorizer
from threeport.simulated.scale import SCALED, Scale
from threeport.simulated.secrecy import SealedAtRest, derived_key
from threeport.simulated.tokens import ClusterTokens
from threeport.simulated.world import World
from threeport.store.changes import Changes
from threeport.store.database import Database
from threeport.store.migrations import migrate
from threeport.store.objects import SqlObjectStore
from threeport.store.outbox import Outbox
from threeport.store.ownership import Ownership
from threeport.store.records import StoredObject, StoreUnavailable
from threeport.store.sweeper import Sweeper

logger = logging.getLogger(__name__)

CONNECTIONS: Final = 4
"""Connections to the database per cluster."""

TIDYING: Final = 1.0
SWEEPING: Final = 300.0
"""Seconds between rounds."""

NAMESPACE_GRACE: Final = 2.0
"""Seconds from the deletion of a namespace to its end: only one process writes, and its knowledge of
living namespaces is at most one second old."""

DEFINITIONS: Final = "customresourcedefinitions.apiextensions.k8s.io"


class SimulatedCluster:
    """Open it before use. Its process must be the only one that writes to the schema."""

    def __init__(self, name: str, schema: str, *, dsn: str, admin_token: str) -> None:
        self.name = name
        self._database = Database(dsn, schema=schema, max_size=CONNECTIONS)
        self._outbox = Outbox(self._database)
        self._done: list[tuple[str, int]] = []
        clock = RevisionClock(0)
        store = SqlObjectStore(self._database, clock, on_commit=self._committed)
        self._sweeper = Sweeper(self._database, store)
        self._hub = Hub(None, Changes(self._database), clock.read)
        catalog = built_in_kinds()
        self._queue: ControllerQueue
        self._world = World(store, catalog, lambda entry: self._queue.notice(entry))
        self._queue = ControllerQueue(all_controllers(), self._world)
        self.tokens = ClusterTokens(admin_token, name, self._world)
        self.server = KrmServer(
            catalog,
            store,
            self._hub,
            authorizer=RbacAuthorizer(self._world),
            secrecy=SealedAtRest(derived_key(admin_token.encode(), f"threeport simulated secrets {name}")),
            admitters=[BuiltInRules()],
            subresources={
                ("serviceaccounts", "token"): self.tokens.answer_request,
                **{(resource, "scale"): Scale(self._world).answer for resource in SCALED},
            },
            namespace_grace=NAMESPACE_GRACE,
            ownership=Ownership(self._database),
            git_version=VERSION,
        )
        self._tasks: list[asyncio.Task[None]] = []

    async def open(self) -> None:
        """Prepares the schema, reads what is there, and begins to serve. Raises `StoreUnavailable`."""
        await self._database.open()
        await migrate(self._database)
        await self._load()
        await fill(self._world)
        await self._hub.open()
        await self.server.start()
        self._tasks = [
            start(self._queue.run(), f"controllers of {self.name}"),
            start(self._tidy(), f"outbox of {self.name}"),
            start(self._sweep(), f"sweeper of {self.name}"),
        ]

    async def close(self) -> None:
        """Ends watches and controllers; the data stays."""
        await self.server.close()
        await stop(self._tasks)
        await self._hub.close()
        await self._database.close()

    async def _load(self) -> None:
        """Reads all objects; those of user-defined kinds after the definitions."""
        catalog = self._world.catalog
        for kind in catalog:
            await self._world.load(kind.resource)
        for definition in self._world.all_of(DEFINITIONS):
            kind = kind_of_definition(definition.obj)
            catalog.add(kind)
            await self._world.load(kind.resource)

    def _committed(self, objects: Sequence[StoredObject]) -> None:
        self._done += ((stored.uid, stored.revision) for stored in objects)
        self._world.absorb(objects)
        self.server.notice(objects)
        self._hub.publish(objects)

    async def _tidy(self) -> None:
        """Empties the outbox, which no relay reads here: first of what an earlier process has left."""
        while True:
            try:
                left = await self._outbox.pending(older_than=60.0)
                done, self._done = [*self._done, *((row.uid, row.revision) for row in left)], []
                if done:
                    await self._outbox.delete(done)
            except StoreUnavailable as error:
                logger.warning("The outbox of %s cannot be emptied: %s", self.name, error)
            await asyncio.sleep(TIDYING)

    async def _sweep(self) -> None:
        while True:
            await asyncio.sleep(SWEEPING)
            try:
                await self._sweeper.sweep()
            except StoreUnavailable as error:
                logger.warning("%s cannot be swept: %s", self.name, error)
