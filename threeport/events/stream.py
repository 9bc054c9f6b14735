"""The JetStream stream that carries changes from the relays to the hubs.

It is a wire, not a store: bounded in age and size, and to lose all of it loses nothing (see `threeport.events.core`).
"""

from __future__ import annotations

import re
from dataclasses import dataclass

from nats.js import JetStreamContext
from nats.js.api import DiscardPolicy, RetentionPolicy, StreamConfig
from nats.js.errors import BadRequestError

from threeport.store.records import Key

_UNFIT = re.compile(r"[^A-Za-z0-9_-]")
_NAME_IN_USE = 10058
"""JetStream's error code: the stream exists, with other settings."""


@dataclass(frozen=True, slots=True, kw_only=True)
class StreamSettings:
    """Names and bounds of the stream. Two control planes can share a NATS server under different names."""

    name: str = "THREEPORT"
    prefix: str = "threeport"
    """First token of all subjects; must not be that of another stream."""
    max_age: float = 600.0
    """Seconds that a message stays; a hub never reads back further than some seconds."""
    max_bytes: int = 512 * 1024 * 1024
    duplicate_window: float = 120.0
    """Seconds in which JetStream drops a message whose id (uid and revision) it has seen."""
    replicas: int = 1

    @property
    def subjects(self) -> str:
        """The pattern of all subjects of the stream."""
        return f"{self.prefix}.>"

    def subject_of(self, key: Key) -> str:
        """``<prefix>.<resource>.<namespace>.<name>``, each a single token.

        Dots, and what else NATS has no place for, become ``_``, and so does an absent namespace. Subjects are for
        filters and for people; which object a message is about, the message itself says.
        """
        return ".".join((self.prefix, *(_UNFIT.sub("_", token) or "_" for token in key)))


async def ensure_stream(jetstream: JetStreamContext, settings: StreamSettings) -> None:
    """Make the stream, or give it these settings if it is there. Raises `nats.errors.Error` while NATS is away."""
    config = StreamConfig(
        name=settings.name,
        subjects=[settings.subjects],
        retention=RetentionPolicy.LIMITS,
        discard=DiscardPolicy.OLD,
        max_age=settings.max_age,
        max_bytes=settings.max_bytes,
        duplicate_window=settings.duplicate_window,
        num_replicas=settings.replicas,
    )
    try:
        await jetstream.add_stream(config)
    except BadRequestError as error:
        if error.err_code != _NAME_IN_USE:
            raise
        await jetstream.update_stream(config)
