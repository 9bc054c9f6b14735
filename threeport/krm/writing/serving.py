"""Requests that write one object: from method, query and body to a plan, its commit, and the answer."""

from __future__ import annotations

from aiohttp import web

from threeport.krm.answers import json_answer, success
from threeport.krm.bodies import decode_object, read_limited, read_object
from threeport.krm.deletion import DeleteOptions
from threeport.krm.interfaces import Caller
from threeport.krm.negotiation import Form, body_type, negotiate
from threeport.krm.options import FORBIDDEN, REQUIRED, invalid_option
from threeport.krm.patches import APPLY, parse_patch
from threeport.krm.paths import Target
from threeport.krm.reading.reader import Reader
from threeport.krm.services import Services
from threeport.krm.writing.access import authorize
from threeport.krm.writing.committing import PlanFrom
from threeport.krm.writing.options import parse_write_options, read_delete_options
from threeport.krm.writing.plans import WriteRequest, Written
from threeport.krm.writing.writer import Writer


class Writes:
    """Answers POST, PUT, PATCH and DELETE of one object. All raise `ApiError`, and what the store raises."""

    def __init__(self, services: Services, reader: Reader, writer: Writer) -> None:
        self._services = services
        self._reader = reader
        self._writer = writer

    async def create(self, request: web.Request, caller: Caller, target: Target) -> web.Response:
        """Answers a POST to a collection."""
        form, options = negotiate(request.headers.get("Accept")), parse_write_options(request, caller)
        await authorize(self._services, caller, "create", target)
        body = await read_object(request)
        metadata = body.get("metadata")
        written = await self._writer.committer.commit(
            caller,
            lambda: self._writer.creator.plan(WriteRequest(caller, target, options), body),
            dry_run=options.dry_run,
            retry_taken=isinstance(metadata, dict) and not metadata.get("name"),
        )
        return self._answer(request, caller, target, written, form)

    async def replace(self, request: web.Request, caller: Caller, target: Target) -> web.Response:
        """Answers a PUT."""
        form, options = negotiate(request.headers.get("Accept")), parse_write_options(request, caller)
        await authorize(self._services, caller, "update", target)
        content_type = body_type(request, binary=False)
        raw = await read_limited(request)
        decode_object(raw, content_type)
        wanted = WriteRequest(caller, target, options)
        written = await self._writer.committer.commit_change(
            caller,
            target.key,
            lambda stored: self._writer.updater.plan(
                wanted, lambda live: decode_object(raw, content_type), verb="update", stored=stored
            ),
            dry_run=options.dry_run,
        )
        return self._answer(request, caller, target, written, form)

    async def patch(self, request: web.Request, caller: Caller, target: Target) -> web.Response:
        """Answers a PATCH, server-side apply included."""
        applies = request.content_type == APPLY
        form = negotiate(request.headers.get("Accept"))
        # What an apply does not know cannot be owned, so Kubernetes too refuses it unless told otherwise.
        options = parse_write_options(request, caller, field_validation="Strict" if applies else "Warn")
        await authorize(self._services, caller, "patch", target)
        raw = await read_limited(request)
        wanted = WriteRequest(caller, target, options)
        plan = self._apply_of(request, wanted, raw) if applies else self._patch_of(request, wanted, raw)
        written = await self._writer.committer.commit_change(
            caller, target.key, plan, dry_run=options.dry_run, retry_taken=applies
        )
        return self._answer(request, caller, target, written, form)

    def _apply_of(self, request: web.Request, wanted: WriteRequest, raw: bytes) -> PlanFrom:
        if not request.query.get("fieldManager"):
            raise invalid_option("PatchOptions", "fieldManager", REQUIRED, "is required for apply patch")
        config = decode_object(raw, APPLY)
        return lambda stored: self._writer.applier.plan(wanted, config, stored=stored)

    def _patch_of(self, request: web.Request, wanted: WriteRequest, raw: bytes) -> PlanFrom:
        if "force" in request.query:
            raise invalid_option("PatchOptions", "force", FORBIDDEN, "may not be specified for non-apply patch")
        make = parse_patch(wanted.target.kind, request.content_type, raw)
        return lambda stored: self._writer.updater.plan(wanted, make, verb="patch", stored=stored)

    async def delete(self, request: web.Request, caller: Caller, target: Target) -> web.Response:
        """Answers a DELETE of one object: the object if it stays for a while, a ``Status`` if it is gone."""
        form = negotiate(request.headers.get("Accept"))
        await authorize(self._services, caller, "delete", target)
        written = await self.delete_one(caller, target, await read_delete_options(request))
        if written.stored.deleted:
            return json_answer(success(target.kind, target.name, written.stored.uid), warnings=written.warnings)
        return self._answer(request, caller, target, written, form)

    async def delete_one(self, caller: Caller, target: Target, options: DeleteOptions) -> Written:
        """Deletes an object, or begins its deletion."""
        return await self._writer.committer.commit_change(
            caller,
            target.key,
            lambda stored: self._writer.deleter.plan(caller, target, options, stored=stored),
            dry_run=options.dry_run,
        )

    def _answer(
        self, request: web.Request, caller: Caller, target: Target, written: Written, form: Form
    ) -> web.Response:
        text = self._reader.one(caller, target, written.stored, form, request.query)
        return json_answer(text, code=201 if written.created else 200, warnings=written.warnings)
