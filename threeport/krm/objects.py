"""Requests about objects: from method, query and body to reading, writing and watching."""

from __future__ import annotations

from dataclasses import replace
from typing import cast

from aiohttp import web

from threeport.common.errors import ApiError, BadRequest, MethodNotAllowed, NotFound
from threeport.common.types import JsonObject
from threeport.krm.answers import is_worth_compressing, json_answer, success
from threeport.krm.bodies import decode_object, read_limited
from threeport.krm.deletion import DeleteOptions, parse_options
from threeport.krm.error_details import describe
from threeport.krm.interfaces import Action, Caller, Verb
from threeport.krm.metadata import MANAGER_RULE, is_manager
from threeport.krm.negotiation import Form, body_type, is_true, negotiate
from threeport.krm.options import FORBIDDEN, INVALID, REQUIRED, invalid_option, not_supported, parse_dry_run
from threeport.krm.patches import APPLY, parse_patch
from threeport.krm.paths import Target
from threeport.krm.protobuf import MEDIA_TYPE, decode_protobuf
from threeport.krm.reading import Reader, check_list_options, parse_limit, parse_selection
from threeport.krm.services import Services
from threeport.krm.steps import is_dry_run, parse_steps
from threeport.krm.transactions import Transactions
from threeport.krm.watching import Watches, action_of
from threeport.krm.writing import Options, Writer, Written
from threeport.resources.kind import FieldValidation
from threeport.store.records import StoredObject

_BATCH = 500
_OPTIONS = {"PUT": "UpdateOptions", "PATCH": "PatchOptions"}
"""What Kubernetes calls the options of a write, by its method."""


def parse_write_options(request: web.Request, caller: Caller, *, field_validation: FieldValidation = "Warn") -> Options:
    """How the write is to be made, from the query. Raises `Invalid`.

    `field_validation` is for clients that do not say what to do about unknown fields.
    """
    query, kind = request.query, _OPTIONS.get(request.method, "CreateOptions")
    validation = query.get("fieldValidation") or field_validation
    if validation not in ("Strict", "Warn", "Ignore"):
        raise not_supported(kind, "fieldValidation", validation, ("", "Ignore", "Strict", "Warn"))
    agent = request.headers.get("User-Agent", "").partition("/")[0]
    manager = query.get("fieldManager") or agent or caller.identity.name
    if not is_manager(manager):
        raise invalid_option(kind, "fieldManager", INVALID, f"must be {MANAGER_RULE}")
    return Options(
        dry_run=parse_dry_run(request.query.getall("dryRun", []), kind),
        field_validation=cast(FieldValidation, validation),
        manager=manager,
        force=is_true(query, "force"),
    )


async def read_object(request: web.Request) -> JsonObject:
    """The object in the body of a request. Raises `BadRequest`, `RequestTooLarge` or `UnsupportedMediaType`."""
    media_type = body_type(request)
    raw = await read_limited(request)
    return decode_protobuf(raw) if media_type == MEDIA_TYPE else decode_object(raw, media_type)


class Objects:
    """Answers requests that name a kind."""

    def __init__(self, services: Services, reader: Reader, writer: Writer, watches: Watches) -> None:
        self._services = services
        self._reader = reader
        self._writer = writer
        self._watches = watches
        self._transactions = Transactions(writer, services.views)

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
            verbs: dict[str, Verb] = {"GET": "get", "POST": "create", "PUT": "update", "PATCH": "patch"}
            await self._writer.authorize(caller, verbs.get(request.method, "create"), target)
            return await handler(request, caller, target)
        if target.subresource and not (target.subresource == "status" and target.kind.has_status):
            raise NotFound(f"{target.kind.resource} have no subresource {target.subresource}")
        match request.method, bool(target.name):
            case "GET" | "HEAD", True:
                return await self._get(request, caller, target)
            case "GET" | "HEAD", False:
                return await self._list_or_watch(request, caller, target)
            case "POST", False:
                return await self._create(request, caller, target)
            case "PUT", True:
                return await self._replace(request, caller, target)
            case "PATCH", True:
                return await self._patch(request, caller, target)
            case "DELETE", True if not target.subresource:
                return await self._delete(request, caller, target)
            case "DELETE", False:
                return await self._delete_many(request, caller, target)
        raise MethodNotAllowed(f"{request.method} is not possible on {request.path}")

    async def _get(self, request: web.Request, caller: Caller, target: Target) -> web.Response:
        if is_true(request.query, "watch"):
            raise BadRequest("watch the collection with fieldSelector=metadata.name=..., not one object")
        form = negotiate(request.headers.get("Accept"))
        reveal = is_true(request.query, "reveal")
        verb: Verb = "reveal" if reveal else "get"
        await self._writer.authorize(caller, verb, target)
        stored = await self._writer.read(target)
        obj = self._services.views.decoded(target.kind, stored, caller)
        await self._writer.authorize(caller, verb, target, obj)
        if reveal:
            return json_answer(self._reader.revealed(target, stored, caller))
        return json_answer(self._reader.one(caller, target, stored, form, request.query))

    async def _list_or_watch(self, request: web.Request, caller: Caller, target: Target) -> web.StreamResponse:
        form = negotiate(request.headers.get("Accept"))
        selection = parse_selection(target, request.query, caller)
        if is_true(request.query, "watch"):
            await self._services.authorizer.authorize(caller, action_of(target, selection))
            return await self._watches.serve(request, caller, target, selection, form)
        check_list_options(request.query)
        name = selection.fields.name or ""
        action = Action("list", target.kind, target.namespace, name, labels=selection.labels)
        await self._services.authorizer.authorize(caller, action)
        answer = json_answer(await self._reader.many(caller, target, selection, form, request.query))
        if is_worth_compressing(request, answer):
            answer.enable_compression(web.ContentCoding.gzip)
        return answer

    async def _create(self, request: web.Request, caller: Caller, target: Target) -> web.Response:
        form, options = negotiate(request.headers.get("Accept")), parse_write_options(request, caller)
        await self._writer.authorize(caller, "create", target)
        body = await read_object(request)
        metadata = body.get("metadata")
        generated = isinstance(metadata, dict) and not metadata.get("name")
        written = await self._writer.commit(
            lambda: self._writer.plan_create(caller, target, body, options),
            caller,
            dry_run=options.dry_run,
            retry_taken=generated,
        )
        return self._written(request, caller, target, written, form)

    async def _replace(self, request: web.Request, caller: Caller, target: Target) -> web.Response:
        form, options = negotiate(request.headers.get("Accept")), parse_write_options(request, caller)
        await self._writer.authorize(caller, "update", target)
        content_type = body_type(request, binary=False)
        raw = await read_limited(request)
        decode_object(raw, content_type)
        written = await self._writer.commit_change(
            target,
            lambda stored: self._writer.plan_update(
                caller, target, lambda live: decode_object(raw, content_type), options, verb="update", stored=stored
            ),
            caller,
            dry_run=options.dry_run,
        )
        return self._written(request, caller, target, written, form)

    async def _patch(self, request: web.Request, caller: Caller, target: Target) -> web.Response:
        applies = request.content_type == APPLY
        form = negotiate(request.headers.get("Accept"))
        # What an apply does not know cannot be owned, so Kubernetes too refuses it unless told otherwise.
        options = parse_write_options(request, caller, field_validation="Strict" if applies else "Warn")
        await self._writer.authorize(caller, "patch", target)
        raw = await read_limited(request)
        if applies:
            if not request.query.get("fieldManager"):
                raise invalid_option("PatchOptions", "fieldManager", REQUIRED, "is required for apply patch")
            config = decode_object(raw, APPLY)
            written = await self._writer.commit_change(
                target,
                lambda stored: self._writer.plan_apply(caller, target, config, options, stored=stored),
                caller,
                dry_run=options.dry_run,
                retry_taken=True,
            )
        else:
            if "force" in request.query:
                raise invalid_option("PatchOptions", "force", FORBIDDEN, "may not be specified for non-apply patch")
            make = parse_patch(target.kind, request.content_type, raw)
            written = await self._writer.commit_change(
                target,
                lambda stored: self._writer.plan_update(caller, target, make, options, verb="patch", stored=stored),
                caller,
                dry_run=options.dry_run,
            )
        return self._written(request, caller, target, written, form)

    def _written(
        self, request: web.Request, caller: Caller, target: Target, written: Written, form: Form
    ) -> web.Response:
        text = self._reader.one(caller, target, written.stored, form, request.query)
        return json_answer(text, code=201 if written.created else 200, warnings=written.warnings)

    async def _delete(self, request: web.Request, caller: Caller, target: Target) -> web.Response:
        form = negotiate(request.headers.get("Accept"))
        await self._writer.authorize(caller, "delete", target)
        written = await self._delete_one(caller, target, await self._delete_options(request))
        if written.stored.deleted:
            return json_answer(success(target.kind, target.name, written.stored.uid), warnings=written.warnings)
        return self._written(request, caller, target, written, form)

    async def _delete_options(self, request: web.Request) -> DeleteOptions:
        raw = await read_limited(request)
        body = decode_object(raw, request.content_type) if raw.strip() else {}
        dry_run = parse_dry_run(request.query.getall("dryRun", []), "DeleteOptions")
        return parse_options(body, request.query, dry_run=dry_run)

    async def _delete_one(self, caller: Caller, target: Target, options: DeleteOptions) -> Written:
        return await self._writer.commit_change(
            target,
            lambda stored: self._writer.plan_delete(caller, target, options, stored=stored),
            caller,
            dry_run=options.dry_run,
        )

    async def _delete_many(self, request: web.Request, caller: Caller, target: Target) -> web.Response:
        selection = parse_selection(target, request.query, caller)
        name = selection.fields.name or ""
        action = Action("deletecollection", target.kind, target.namespace, name, labels=selection.labels)
        await self._services.authorizer.authorize(caller, action)
        options, limit = await self._delete_options(request), parse_limit(request.query)
        after: tuple[str, str] | None = None
        refused: list[ApiError] = []
        while True:
            page = await self._reader.page(target, selection, limit=min(limit or _BATCH, _BATCH), after=after)
            limit = limit and limit - len(page.items)
            left = await self._writer.delete_each(caller, target.kind, page.items, options)
            errors = [await self._try_delete(caller, target, item, options) for item in left]
            refused += [error for error in errors if error is not None]
            if (after := page.after) is None or limit == 0:
                break
        if refused:
            raise refused[0]
        return json_answer(success(target.kind, "", ""))

    async def _try_delete(
        self, caller: Caller, target: Target, item: StoredObject, options: DeleteOptions
    ) -> ApiError | None:
        """Deletes one of many; what stands against it is returned, so that the others are deleted still."""
        try:
            one = Target(target.kind, item.key.namespace, item.key.name)
            await self._delete_one(caller, one, options)
        except NotFound:
            return None
        except ApiError as error:
            return error
        return None

    async def transaction(self, request: web.Request, caller: Caller) -> web.Response:
        """Answers ``POST .../transactions``: all operations of the body, or none."""
        options = parse_write_options(request, caller, field_validation="Strict")
        body = await read_object(request)
        options = replace(options, dry_run=options.dry_run or is_dry_run(body))
        steps = parse_steps(self._services.catalog, body, options)
        texts, warnings = await self._transactions.run(caller, steps, dry_run=options.dry_run)
        head = '{"kind":"TransactionResult","apiVersion":"threeport.io/v1alpha1","results":['
        return json_answer(f"{head}{','.join(texts)}]}}", warnings=warnings)
