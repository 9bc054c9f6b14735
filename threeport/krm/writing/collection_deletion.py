"""Deletion of a collection: in large transactions where nothing stands against it, one by one where something does."""

from __future__ import annotations

from collections.abc import Sequence

from aiohttp import web

from threeport.common.errors import ApiError, NotFound
from threeport.krm.answers import json_answer, success
from threeport.krm.deletion import DeleteOptions
from threeport.krm.interfaces import Caller
from threeport.krm.paths import Target
from threeport.krm.reading.options import parse_limit
from threeport.krm.reading.reader import Reader
from threeport.krm.reading.selection import action_of, parse_selection
from threeport.krm.services import Services
from threeport.krm.writing.options import read_delete_options
from threeport.krm.writing.serving import Writes
from threeport.krm.writing.writer import Writer
from threeport.store.records import StoredObject

_BATCH = 500


class CollectionDeletes:
    """Answers DELETE of a collection."""

    def __init__(self, services: Services, reader: Reader, writer: Writer, writes: Writes) -> None:
        self._services = services
        self._reader = reader
        self._writer = writer
        self._writes = writes

    async def answer(self, request: web.Request, caller: Caller, target: Target) -> web.Response:
        """Deletes what the selectors of the request select, up to its ``limit``.

        What can be deleted is, whatever stands against the others; raises the first of those errors, at the end.
        """
        selection = parse_selection(target, request.query, caller)
        await self._services.authorizer.authorize(caller, action_of("deletecollection", target, selection))
        options, limit = await read_delete_options(request), parse_limit(request.query)
        after: tuple[str, str] | None = None
        refused: list[ApiError] = []
        while True:
            page = await self._reader.page(target, selection, limit=min(limit or _BATCH, _BATCH), after=after)
            limit = limit and limit - len(page.items)
            left = await self._delete_together(caller, target, page.items, options)
            errors = [await self._delete_alone(caller, target, item, options) for item in left]
            refused += [error for error in errors if error is not None]
            if (after := page.after) is None or limit == 0:
                break
        if refused:
            raise refused[0]
        return json_answer(success(target.kind, "", ""))

    async def _delete_together(
        self, caller: Caller, target: Target, items: Sequence[StoredObject], options: DeleteOptions
    ) -> list[StoredObject]:
        """Deletes these objects, as they are, in as few transactions as possible. Returns those that it could not."""
        plans = await self._writer.deleter.plan_each(caller, target.kind, items, options)
        failed = set() if options.dry_run else await self._writer.committer.store_each(plans, fence=caller.fence)
        done = {plan.outcome.uid for plan in plans} - failed
        return [item for item in items if item.uid not in done]

    async def _delete_alone(
        self, caller: Caller, target: Target, item: StoredObject, options: DeleteOptions
    ) -> ApiError | None:
        """Deletes one of many; what stands against it is returned, so that the others are deleted still."""
        try:
            await self._writes.delete_one(caller, Target(target.kind, item.key.namespace, item.key.name), options)
        except NotFound:
            return None
        except ApiError as error:
            return error
        return None
