"""All simulated clusters of one process. Which ones there are is told by the schemas of the database."""

from __future__ import annotations

import asyncio
import logging
import re
from typing import Final

from threeport.common.errors import BadRequest, NotFound
from threeport.simulated.cluster import SimulatedCluster
from threeport.store.database import Database

logger = logging.getLogger(__name__)

_NAME: Final = re.compile(r"[a-z0-9]([-a-z0-9]{0,48}[a-z0-9])?")


class Clusters:
    """Opens, makes and removes clusters in the database at `dsn`; `admin_token` is the same for all.

    The schemas of these clusters, and of no other process's, begin with `prefix`.
    """

    def __init__(self, dsn: str, admin_token: str, *, prefix: str) -> None:
        self._dsn = dsn
        self._prefix = prefix
        self._admin_token = admin_token
        self._open: dict[str, SimulatedCluster] = {}
        self._changing = asyncio.Lock()

    def __getitem__(self, name: str) -> SimulatedCluster:
        """The open cluster of this name. Raises `NotFound`."""
        if name not in self._open:
            raise NotFound(f"There is no simulated cluster {name!r}. PUT /clusters/{name} makes it.", name=name)
        return self._open[name]

    def names(self) -> list[str]:
        """All clusters."""
        return sorted(self._open)

    async def open(self) -> None:
        """Opens all clusters that the database holds. Raises `StoreUnavailable`."""
        database = Database(self._dsn, schema="public", max_size=1)
        async with database.dedicated_connection() as connection:
            cursor = await connection.execute("SELECT schema_name FROM information_schema.schemata")
            schemas = [row[0] for row in await cursor.fetchall()]
        for schema in schemas:
            if schema.startswith(self._prefix):
                await self.ensure(schema.removeprefix(self._prefix).replace("_", "-"))

    async def ensure(self, name: str) -> SimulatedCluster:
        """The cluster of this name, made if there is none. Raises `BadRequest` for a name that cannot be one."""
        if not _NAME.fullmatch(name):
            raise BadRequest(
                f"{name!r} is no name for a cluster: it takes lower-case letters, digits and '-', at most 50 in all."
            )
        async with self._changing:
            if name not in self._open:
                cluster = SimulatedCluster(name, self._schema(name), dsn=self._dsn, admin_token=self._admin_token)
                try:
                    await cluster.open()
                except BaseException:
                    await cluster.close()
                    raise
                self._open[name] = cluster
                logger.info("Simulated cluster %s is open", name)
            return self._open[name]

    async def remove(self, name: str) -> None:
        """Removes a cluster and its data; one that does not exist is no error. What an attempt that failed has left,
        the next one removes. Raises `StoreUnavailable`."""
        if not _NAME.fullmatch(name):
            return
        async with self._changing:
            cluster = self._open.pop(name, None)
            if cluster is not None:
                await cluster.close()
            database = Database(self._dsn, schema=self._schema(name), max_size=1)
            try:
                await database.open()
                await database.statement(f"DROP SCHEMA IF EXISTS {database.schema} CASCADE")
            finally:
                await database.close()
            logger.info("Simulated cluster %s is removed", name)

    async def close(self) -> None:
        """Closes all; the data stays."""
        async with self._changing:
            for cluster in self._open.values():
                await cluster.close()
            self._open.clear()

    def _schema(self, name: str) -> str:
        return self._prefix + name.replace("-", "_")
