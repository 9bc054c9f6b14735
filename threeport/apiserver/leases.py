"""The lease of a controller's shard: ``POST`` acquires or renews it, ``DELETE`` gives it back.

All shards of one count hold the layout of their controller together. So when the count changes, the shards of the new
count wait until the last lease of the old count has run out, and no object has two masters.
"""

from __future__ import annotations

from aiohttp import web
from pydantic import BaseModel, ConfigDict, Field, ValidationError

from threeport.apiserver.door import SHARD_PATH, LeaseBook, layout_lease_name, lease_name, may_be, shard_from
from threeport.apiserver.open_watches import OpenWatches
from threeport.common.errors import BadRequest, Conflict, Unauthorized
from threeport.krm.answers import json_answer
from threeport.krm.bodies import decode, read_limited
from threeport.krm.caller import CALLER
from threeport.krm.interfaces import Shard
from threeport.store.leases import Leases

TTL = 15
"""Seconds that a lease lasts unless it is renewed."""

LAYOUT_TTL = TTL + 10
"""Seconds; the layout outlasts the lease of every shard of it, and any write that was let in under one."""

_BODY_LIMIT = 4096


class LeaseRequest(BaseModel):
    """Who asks (`holder`, unique per process), and the epoch that it holds, if any."""

    model_config = ConfigDict(extra="forbid")

    holder: str = Field(min_length=1, max_length=253)
    epoch: int | None = Field(default=None, ge=0, lt=2**63)


class LeaseEndpoint:
    """Answers requests for leases."""

    def __init__(self, leases: Leases, book: LeaseBook, watches: OpenWatches) -> None:
        self._leases = leases
        self._book = book
        self._watches = watches

    def routes(self) -> list[web.RouteDef]:
        """The routes of the endpoint."""
        path = f"{SHARD_PATH}/lease"
        return [web.post(path, self.acquire), web.delete(path, self.release)]

    async def acquire(self, request: web.Request) -> web.Response:
        """Answers ``{"epoch": n, "ttlSeconds": 15}``.

        Raises `Conflict` while another holds the lease, `Unauthorized` if the epoch to renew is over.
        """
        controller, shard = _shard_of(request)
        wanted = await _body_of(request)
        if wanted.epoch is None:
            epoch = await self._acquire(controller, shard, wanted.holder)
        else:
            epoch = await self._renew(controller, shard, wanted.holder, wanted.epoch)
        return json_answer({"epoch": epoch, "ttlSeconds": TTL})

    async def release(self, request: web.Request) -> web.Response:
        """Gives the lease back, so that the next holder need not wait; a lease that is lost already is no error."""
        controller, shard = _shard_of(request)
        held = await _body_of(request)
        if held.epoch is None:
            raise BadRequest("The body has no epoch: say which lease to release.")
        name = lease_name(controller, shard)
        await self._leases.release(name, held.holder, held.epoch)
        self._forget(name, held.epoch)
        return json_answer({})

    async def _acquire(self, controller: str, shard: Shard, holder: str) -> int:
        if not await self._hold_layout(controller, shard):
            raise Conflict(
                f"Shards of another count than {shard.count} still hold leases of {controller}: "
                f"stop them, then try again in {LAYOUT_TTL} seconds.",
                retry_after=LAYOUT_TTL,
            )
        name = lease_name(controller, shard)
        lease = await self._leases.acquire(name, holder, TTL)
        if lease is None:
            raise Conflict(f"Lease {name} is held by another: try again in {TTL} seconds.", retry_after=TTL)
        self._forget(name, lease.epoch - 1)
        return lease.epoch

    async def _renew(self, controller: str, shard: Shard, holder: str, epoch: int) -> int:
        name = lease_name(controller, shard)
        # The layout first: its lease must not run out while a shard of it is held.
        held = await self._hold_layout(controller, shard)
        lease = await self._leases.renew(name, holder, epoch, TTL) if held else None
        if lease is None:
            self._forget(name, epoch)
            raise Unauthorized(f"Epoch {epoch} of lease {name} is over: stop, then acquire the lease anew.")
        return lease.epoch

    async def _hold_layout(self, controller: str, shard: Shard) -> bool:
        """Whether no shards of another count are at work; keeps them out from now on."""
        layout = layout_lease_name(controller)
        return await self._leases.acquire(layout, f"of-{shard.count}", LAYOUT_TTL) is not None

    def _forget(self, name: str, last_epoch: int) -> None:
        """Lease `name` is no longer at `last_epoch` or before: whoever watches by that has to stop."""
        self._book.forget(name)
        over = Unauthorized(f"Epoch {last_epoch} of lease {name} is over: stop, then acquire the lease anew.")
        self._watches.cut(
            over,
            which=lambda watch: (
                watch.fence is not None and watch.fence.lease == name and watch.fence.epoch <= last_epoch
            ),
        )


def _shard_of(request: web.Request) -> tuple[str, Shard]:
    """Controller and shard of the path, if the caller is that controller."""
    controller = request.match_info["controller"]
    may_be(request[CALLER].identity, controller)
    return controller, shard_from(request.match_info["index"], request.match_info["count"])


async def _body_of(request: web.Request) -> LeaseRequest:
    try:
        return LeaseRequest.model_validate(decode(await read_limited(request, _BODY_LIMIT), request.content_type))
    except ValidationError as error:
        problems = "; ".join(f"{'.'.join(map(str, each['loc']))}: {each['msg']}" for each in error.errors())
        raise BadRequest(f'Expected {{"holder": "...", "epoch": null or a number}}: {problems}') from error
