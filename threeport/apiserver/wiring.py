"""The API server put together from its parts, started and stopped in order.

Starting waits for the database, since nothing can be said without it, and for nothing else. Stopping sends watchers
away first, lets requests under way finish, and only then takes away what they stand on.
"""

from __future__ import annotations

import asyncio
import gc
import ssl
from collections.abc import Callable, Coroutine, Sequence
from contextlib import AsyncExitStack

import structlog

from threeport.apiserver.admission import admission_steps
from threeport.apiserver.agent_tokens import agent_token_subresource
from threeport.apiserver.app import make_app
from threeport.apiserver.authentication import tls_context
from threeport.apiserver.authorization import RoleAuthorizer
from threeport.apiserver.beginning import ensure_default_namespace, open_database
from threeport.apiserver.door import LeaseBook
from threeport.apiserver.health import Health
from threeport.apiserver.keys import read_keys
from threeport.apiserver.leases import LeaseEndpoint
from threeport.apiserver.listening import Listener
from threeport.apiserver.metrics import measure_pool
from threeport.apiserver.node import Node, lease_node
from threeport.apiserver.open_watches import RETRY_AFTER, OpenWatches
from threeport.apiserver.revocation import LivingRuntimes, Revocation
from threeport.apiserver.settings import Settings
from threeport.apiserver.subresources import views_into_clusters
from threeport.apiserver.sweeping import sweep_regularly
from threeport.apiserver.tokens import Tokens
from threeport.common.errors import TooManyRequests
from threeport.common.revisions import RevisionClock
from threeport.events.broker import BrokerSettings
from threeport.events.service import EventService
from threeport.events.stream import StreamSettings
from threeport.events.tasks import stop
from threeport.krm.sealing import Sealer
from threeport.krm.server import KrmServer
from threeport.resources import load_catalog
from threeport.store.changes import Changes
from threeport.store.database import Database
from threeport.store.leases import Leases
from threeport.store.objects import SqlObjectStore
from threeport.store.outbox import Outbox
from threeport.store.ownership import Ownership
from threeport.store.sweeper import Sweeper

log = structlog.stdlib.get_logger("threeport.apiserver")


async def serve(settings: Settings, stop: asyncio.Event) -> None:
    """Runs the API server until `stop` is set, then shuts it down.

    Raises `UnusableKey`, `OSError` or `ssl.SSLError` when the settings are of no use, `NodeLost` when another process
    took this one's place.
    """
    keys, context = read_keys(settings.keys_dir), tls_context(settings)
    tokens, sealer = Tokens(keys.tokens), Sealer(keys.sealing)
    async with AsyncExitStack() as stack:
        database = await open_database(settings.database_url.get_secret_value(), settings.database_schema, stop)
        if database is None:
            return
        stack.push_async_callback(database.close)
        node = await lease_node(Leases(database))
        stack.push_async_callback(node.release)
        process = Process(settings, database, node, tokens, sealer)
        stack.push_async_callback(process.close)
        await process.open(context)
        await node.keep(stop)
        log.info("stopping")


class Process:
    """All parts of one API server above its database."""

    def __init__(self, settings: Settings, database: Database, node: Node, tokens: Tokens, sealer: Sealer) -> None:
        self._settings = settings
        clock = RevisionClock(node.number)
        self._events = EventService(
            broker_settings(settings), outbox=Outbox(database), changes=Changes(database), clock=clock.read
        )
        store = SqlObjectStore(database, clock, on_commit=self._events.committed)
        leases, catalog, authorizer = Leases(database), load_catalog(), RoleAuthorizer()
        self._store = store
        self._krm = KrmServer(
            catalog,
            store,
            self._events.hub,
            authorizer=authorizer,
            secrecy=sealer,
            admitters=admission_steps(catalog, store, authorizer),
            subresources={
                **agent_token_subresource(store, tokens),
                **views_into_clusters(store, sealer, authorizer),
            },
            transactions=True,
            ownership=Ownership(database),
        )
        self._watches, book, runtimes = OpenWatches(settings.max_watches), LeaseBook(leases), LivingRuntimes(store)
        measure_pool(database.pool_figures)
        self._health = Health(database.ping, self._events.health)
        self.app = make_app(
            catalog=catalog,
            server=self._krm,
            health=self._health,
            leases=LeaseEndpoint(leases, book, self._watches),
            tokens=tokens,
            book=book,
            runtimes=runtimes,
            watches=self._watches,
            settings=settings,
        )
        self._running: Sequence[Callable[[], Coroutine[None, None, None]]] = (
            Revocation(self._watches, book, runtimes).run,
            lambda: sweep_regularly(Sweeper(database, store)),
        )
        self._tasks: list[asyncio.Task[None]] = []
        self._listener: Listener | None = None

    async def open(self, context: ssl.SSLContext) -> None:
        """Starts everything; listens last."""
        settings = self._settings
        await ensure_default_namespace(self._store)
        await self._events.open()
        await self._krm.start()
        self._tasks = [asyncio.create_task(run()) for run in self._running]
        self._listener = Listener(self.app, context, max_connections=settings.max_connections)
        port = await self._listener.open(settings.host, settings.port, share_port=settings.share_port)
        spare_the_collector()
        log.info("listening", address=settings.host, port=port)

    async def close(self) -> None:
        """Stops everything that `open` has started, in the order that loses least."""
        self._health.stopping = True
        if self._listener is not None:
            self._listener.stop_accepting()
        await stop(self._tasks)
        await self._krm.close()
        self._watches.cut(TooManyRequests("This API server is stopping: try another.", retry_after=RETRY_AFTER))
        if self._listener is not None:
            await self._listener.close()
        await self._events.close()


def spare_the_collector() -> None:
    """What is here by now stays: the collector of cycles need not look at it again and again (10 % of a create).

    Little that requests leave behind has cycles, so it need not come after every few hundred objects either.
    """
    gc.collect()
    gc.freeze()
    gc.set_threshold(10_000, 20, 20)


def broker_settings(settings: Settings) -> BrokerSettings:
    """How to reach NATS. Raises `OSError` or `ssl.SSLError` if the files that the settings name are of no use."""
    context: ssl.SSLContext | None = None
    if settings.nats_ca is not None:
        context = ssl.create_default_context(cafile=settings.nats_ca)
        if settings.nats_cert is not None:
            context.load_cert_chain(settings.nats_cert, settings.nats_key)
    password = settings.nats_password
    return BrokerSettings(
        servers=tuple(settings.nats_url.split(",")),
        tls=context,
        user=settings.nats_user,
        password=password.get_secret_value() if password else None,
        stream=StreamSettings(name=settings.nats_stream, prefix=settings.nats_subject),
    )
