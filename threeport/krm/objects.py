"""Requests about objects: from method, query and body to reading, writing and watching."""

from __future__ import annotations

from dataclasses import replace

from aiohttp import web

from threeport.common.errors import ApiError, BadRequest, MethodNotAllowed, NotFound
from threeport.krm.answers import is_worth_compressing, json_answer
from threeport.krm.bodies import read_object
from threeport.krm.error_details import describe
from threeport.krm.interfaces import Caller, Verb
from threeport.krm.negotiation import is_true, negotiate
from threeport.krm.paths import Target
from threeport.krm.reading.options import check_list_options
from threeport.krm.reading.reader import Reader
from threeport.krm.reading.selection import action_of, parse_selection
from threeport.krm.services import Services
from threeport.krm.transactions.running import Transactions
from threeport.krm.transactions.steps import is_dry_run, parse_steps
from threeport.krm.watching.watches import Watches
from threeport.krm.writing.access import authorize, read
from threeport.krm.writing.collection_deletion import CollectionDeletes
from threeport.krm.writing.options import parse_write_options
from threeport.krm.writing.serving import Writes
from threeport.krm.writing.writer import Writer

_VERBS: dict[str, Verb] = {"GET": "get", "POST": "create", "PUT": "update", "PATCH": "patch"}
"""What a method on a subresource of the server is authorized as; any other as a create."""


class Objects:
    """Answers requests that name a kind."""

    def __init__(self, services: Services, reader: Reader, writer: Writer, watches: Watches) -> None:
        self._services = services
        self._reader = reader
        self._watches = watches
        self._writes = Writes(services, reader, writer)
        self._collection_deletes = CollectionDeletes(services, reader, writer, self._writes)
        self._transactions = Transactions(services, writer)

    async def answer(self, request: web.Request, caller: Caller, target: Target) -> web.StreamResponse:
        """The answer to a request for `target`. Raises `ApiError`, and what the store raises."""
        try:
            return await self._answer(request, caller, target)
        except ApiError as error:
            describe(error, target.kind)
            raise

    async def _answer(self, request: web.Request, caller: Caller, target: Target) -> web.StreamResponse:
        handler = self._services.subresources.get((target.kind.resource, target.subresource))
        if target.subresource and handler is not None:
            await authorize(self._services, caller, _VERBS.get(request.method, "create"), target)
            return await handler(request, caller, target)
        if target.subresource and not (target.subresource == "status" and target.kind.has_status):
            raise NotFound(f"{target.kind.resource} have no subresource {target.subresource}")
        match request.method, bool(target.name):
            case "GET" | "HEAD", True:
                return await self._get(request, caller, target)
            case "GET" | "HEAD", False:
                return await self._list_or_watch(request, caller, target)
            case "POST", False:
                return await self._writes.create(request, caller, target)
            case "PUT", True:
                return await self._writes.replace(request, caller, target)
            case "PATCH", True:
                return await self._writes.patch(request, caller, target)
            case "DELETE", True if not target.subresource:
                return await self._writes.delete(request, caller, target)
            case "DELETE", False:
                return await self._collection_deletes.answer(request, caller, target)
        raise MethodNotAllowed(f"{request.method} is not possible on {request.path}")

    async def _get(self, request: web.Request, caller: Caller, target: Target) -> web.Response:
        if is_true(request.query, "watch"):
            raise BadRequest("watch the collection with fieldSelector=metadata.name=..., not one object")
        form = negotiate(request.headers.get("Accept"))
        reveal = is_true(request.query, "reveal")
        verb: Verb = "reveal" if reveal else "get"
        await authorize(self._services, caller, verb, target)
        stored = await read(self._services, target)
        obj = self._services.views.decoded(target.kind, stored, caller)
        await authorize(self._services, caller, verb, target, obj)
        if reveal:
            return json_answer(self._reader.revealed(target, stored, caller))
        return json_answer(self._reader.one(caller, target, stored, form, request.query))

    async def _list_or_watch(self, request: web.Request, caller: Caller, target: Target) -> web.StreamResponse:
        form = negotiate(request.headers.get("Accept"))
        selection = parse_selection(target, request.query, caller)
        if is_true(request.query, "watch"):
            await self._services.authorizer.authorize(caller, action_of("watch", target, selection))
            return await self._watches.serve(request, caller, target, selection, form)
        check_list_options(request.query)
        await self._services.authorizer.authorize(caller, action_of("list", target, selection))
        answer = json_answer(await self._reader.many(caller, target, selection, form, request.query))
        if is_worth_compressing(request, answer):
            answer.enable_compression(web.ContentCoding.gzip)
        return answer

    async def transaction(self, request: web.Request, caller: Caller) -> web.Response:
        """Answers ``POST .../transactions``: all operations of the body, or none."""
        options = parse_write_options(request, caller, field_validation="Strict")
        body = await read_object(request)
        options = replace(options, dry_run=options.dry_run or is_dry_run(body))
        steps = parse_steps(self._services.catalog, body, options)
        texts, warnings = await self._transactions.run(caller, steps, dry_run=options.dry_run)
        head = '{"kind":"TransactionResult","apiVersion":"threeport.io/v1alpha1","results":['
        return json_answer(f"{head}{','.join(texts)}]}}", warnings=warnings)
