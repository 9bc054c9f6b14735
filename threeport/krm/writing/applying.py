"""Plans of server-side apply: an object is created, or what the manager wants is merged into it."""

from __future__ import annotations

from threeport.common.types import JsonObject
from threeport.krm import metadata
from threeport.krm.apply.applying import applied
from threeport.krm.services import Services
from threeport.krm.writing.access import not_found
from threeport.krm.writing.creating import Creator
from threeport.krm.writing.plans import Plan, WriteRequest
from threeport.krm.writing.updating import Updater
from threeport.store.records import StoredObject


class Applier:
    """Plans applies, as creations or changes."""

    def __init__(self, services: Services, creator: Creator, updater: Updater) -> None:
        self._services = services
        self._creator = creator
        self._updater = updater

    async def plan(self, request: WriteRequest, config: JsonObject, *, stored: StoredObject | None = None) -> Plan:
        """A plan that applies `config`: creates the object, or merges into it what the manager wants.

        Without `stored` the object is read first. Raises `Conflict` for what another manager owns, and `ApiError`.
        """
        target, options = request.target, request.options
        metadata.check_shape(config, target.kind)
        metadata.place(config, target)
        if target.kind.has_status and request.caller.controller is None and target.subresource != "status":
            config = {key: value for key, value in config.items() if key != "status"}

        def make(live: JsonObject | None) -> JsonObject:
            return applied(
                target.kind,
                live,
                config,
                manager=options.manager,
                force=options.force,
                subresource=target.subresource,
            )

        stored = stored or await self._services.store.get(target.key)
        if stored is not None:
            return await self._updater.plan(request, make, verb="patch", stored=stored, applying=True)
        if target.subresource:
            raise not_found(target)
        return await self._creator.plan(request, make(None), applying=True)
