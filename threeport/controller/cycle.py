"""One turn of a reconcile: look, act once, and say in one sentence what was decided and why.

A phase that cannot go on raises `Waiting` (come back later) or `Refused` (only a change of the spec helps). Both
become the ``Ready`` condition of the object, one line of log, an Event if the decision is a new one, and the error by
which kopf queues the object again or lets it rest.
"""

from __future__ import annotations

import logging
from collections.abc import Awaitable, Callable
from typing import Final

import kopf

from threeport.common.delays import FIRST_DELAY, LONGEST_DELAY
from threeport.common.errors import ApiError
from threeport.common.types import FrozenJson, JsonObject
from threeport.controller.conditions import READY, Truth, condition, set_condition
from threeport.controller.controller import Controller
from threeport.controller.events import record_event
from threeport.controller.requeue import try_again
from threeport.controller.status import write_status
from threeport.kube.errors import ClusterError
from threeport.resources.kind import Kind

logger = logging.getLogger(__name__)


ON_ITS_WAY: Final = frozenset(
    ("Deleting", "Pruning", "Replacing", "Changed", "DefinitionChanged", "Progressing", "ClusterBusy")
)
"""Reasons for not being Ready that are steps to what was asked for, and no cause for alarm."""


class Waiting(Exception):
    """The object waits for something; `reason` is for programs, `message` a sentence that names what and how long.

    It is looked at again after `first` seconds, then after twice as long each time, up to `longest`.
    """

    def __init__(self, reason: str, message: str, *, first: float = 5.0, longest: float = 300.0) -> None:
        super().__init__(message)
        self.reason, self.message, self.first, self.longest = reason, message, first, longest


class Refused(Exception):
    """The spec asks for what cannot be; nothing happens until somebody changes it."""

    def __init__(self, reason: str, message: str) -> None:
        super().__init__(message)
        self.reason, self.message = reason, message


async def run_cycle(
    controller: Controller,
    kind: Kind,
    obj: FrozenJson,
    retry: int,
    reconcile: Callable[[], Awaitable[str]],
    *,
    longest: float = LONGEST_DELAY,
) -> None:
    """Runs `reconcile`, which returns its sentence, for `obj`. `retry` counts the attempts before, from 0; a cluster
    that is away is tried again after `longest` seconds at the latest.

    Raises `kopf.TemporaryError` or `kopf.PermanentError` after the object says why.
    """
    name = display_name(kind, obj)
    async with controller.gate:
        try:
            logger.info("%s: %s", name, await reconcile())
        except Waiting as waiting:
            await decide(controller, kind, obj, "False", waiting.reason, waiting.message)
            raise _later(name, waiting.message, retry, first=waiting.first, longest=waiting.longest) from None
        except Refused as refused:
            await decide(controller, kind, obj, "False", refused.reason, refused.message)
            raise _never(name, refused.message) from None
        except ClusterError as error:
            await decide(controller, kind, obj, "False", error.reason, str(error))
            if error.temporary:
                first = error.retry_after or FIRST_DELAY
                raise _later(name, str(error), retry, first=first, longest=longest) from None
            raise _never(name, str(error)) from None
        except ApiError as error:
            raise _later(name, error.message, retry, first=1, longest=60) from None


async def decide(
    controller: Controller,
    kind: Kind,
    obj: FrozenJson,
    ready: Truth,
    reason: str,
    message: str,
    *,
    also: Callable[[JsonObject, FrozenJson], None] | None = None,
) -> JsonObject | None:
    """Writes the ``Ready`` condition (and what `also` changes) into the status, and an Event if the reason is new.

    Returns the object as it then is; None if it is gone.
    """
    news: list[bool] = []

    def change(status: JsonObject, seen: FrozenJson) -> None:
        generation = obj["metadata"].get("generation")
        former = condition(status, READY)
        news[:] = [former is None or (former.get("status"), former.get("reason")) != (ready, reason)]
        status["observedGeneration"] = generation
        set_condition(status, READY, ready, reason=reason, message=message, generation=generation)
        if also is not None:
            also(status, seen)

    written = await write_status(controller.client, kind, obj, change)
    if written is not None and news and news[0]:
        await record_event(
            controller.client,
            written,
            controller=controller.name,
            reason=reason,
            message=message,
            type="Normal" if ready == "True" or reason in ON_ITS_WAY else "Warning",
        )
    return written


def display_name(kind: Kind, obj: FrozenJson) -> str:
    """``WorkloadInstance default/wordpress``."""
    metadata = obj["metadata"]
    return (
        f"{kind.kind} {metadata['namespace']}/{metadata['name']}"
        if metadata.get("namespace")
        else (f"{kind.kind} {metadata['name']}")
    )


def _later(name: str, why: str, retry: int, **delays: float) -> kopf.TemporaryError:
    error = try_again(f"{name}: {why}", retry, **delays)
    logger.info("%s: %s (attempt %d; again in %.1f s)", name, why, retry + 1, error.delay)
    return error


def _never(name: str, why: str) -> kopf.PermanentError:
    logger.warning("%s: %s (not tried again until the spec changes)", name, why)
    return kopf.PermanentError(f"{name}: {why}")
