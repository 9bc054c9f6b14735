"""Follows the stream: an ordered consumer that is made anew whenever it may have missed something.

The ordered consumer of nats-py resumes at a sequence number, which means nothing in a stream that was deleted and
made again. This one resumes some seconds back in time: the hub drops what it knows, and refreshes cover the rest.
"""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import Callable
from contextlib import suppress
from datetime import UTC, datetime, timedelta

from nats.aio.msg import Msg
from nats.js.api import AckPolicy, ConsumerConfig, DeliverPolicy, Header, StatusCode

from threeport.events.broker import NATS_ERRORS, Broker
from threeport.events.stream import ensure_stream

logger = logging.getLogger(__name__)

HEARTBEAT = 1.0
"""Seconds; JetStream says so often that the consumer lives, when there is nothing to deliver."""

SILENCE = 2.5 * HEARTBEAT
"""Seconds without message and heartbeat after which the consumer is taken for lost."""

GO_BACK = timedelta(seconds=10)
"""How far a new consumer starts in the past, so that what came while there was none is delivered."""

RETRY_DELAY = 0.25


class StreamSubscription:
    """Delivers the id and the data of all messages of the stream, in the order and at the time they come."""

    def __init__(self, broker: Broker, deliver: Callable[[str, bytes], None]) -> None:
        self._broker = broker
        self._deliver = deliver
        self._received = 0
        self._heard = float("-inf")
        self._lost = asyncio.Event()

    @property
    def alive(self) -> bool:
        """Whether the stream has been heard of within `SILENCE`."""
        return self._broker.connected and time.monotonic() - self._heard < SILENCE

    async def run(self) -> None:
        """Follow the stream until cancelled, whatever happens to NATS."""
        while True:
            try:
                await self._follow()
                logger.info("the consumer of the stream fell silent or has missed messages: making a new one")
            except NATS_ERRORS as error:
                logger.debug("cannot follow the stream: %s", error)
                await asyncio.sleep(RETRY_DELAY)

    async def _follow(self) -> None:
        client = await self._broker.client()
        jetstream = self._broker.jetstream()
        await ensure_stream(jetstream, self._broker.stream)
        self._received = 0
        self._lost.clear()
        inbox = client.new_inbox()
        subscription = await client.subscribe(inbox, cb=self._on_message)
        try:
            consumer = await jetstream.add_consumer(
                self._broker.stream.name,
                ConsumerConfig(
                    deliver_subject=inbox,
                    deliver_policy=DeliverPolicy.BY_START_TIME,
                    opt_start_time=datetime.now(UTC) - GO_BACK,
                    ack_policy=AckPolicy.NONE,
                    max_deliver=1,
                    idle_heartbeat=HEARTBEAT,
                    inactive_threshold=10.0,
                    num_replicas=1,
                    mem_storage=True,
                ),
            )
            self._heard = time.monotonic()
            await self._until_lost()
            with suppress(*NATS_ERRORS):
                await jetstream.delete_consumer(self._broker.stream.name, consumer.name)
        finally:
            with suppress(*NATS_ERRORS):
                await subscription.unsubscribe()

    async def _until_lost(self) -> None:
        while self.alive and not self._lost.is_set():
            with suppress(asyncio.TimeoutError):
                async with asyncio.timeout(HEARTBEAT / 2):
                    await self._lost.wait()

    async def _on_message(self, message: Msg) -> None:
        self._heard = time.monotonic()
        headers = message.headers or {}
        if headers.get(Header.STATUS) == StatusCode.CONTROL_MESSAGE:
            if headers.get(Header.LAST_CONSUMER, "0") != str(self._received):
                self._lost.set()
            return
        self._received += 1
        self._deliver(headers.get(Header.MSG_ID, ""), message.data)
