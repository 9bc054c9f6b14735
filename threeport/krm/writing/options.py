"""The options of writes and deletions, from query and body."""

from __future__ import annotations

from typing import cast

from aiohttp import web

from threeport.krm.bodies import decode_object, read_limited
from threeport.krm.deletion import DeleteOptions, parse_options
from threeport.krm.interfaces import Caller
from threeport.krm.metadata_rules import MANAGER_RULE, is_manager
from threeport.krm.negotiation import is_true
from threeport.krm.options import INVALID, invalid_option, not_supported, parse_dry_run
from threeport.krm.writing.plans import Options
from threeport.resources.kind import FieldValidation

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
        dry_run=parse_dry_run(query.getall("dryRun", []), kind),
        field_validation=cast(FieldValidation, validation),
        manager=manager,
        force=is_true(query, "force"),
    )


async def read_delete_options(request: web.Request) -> DeleteOptions:
    """How to delete, from query and body. Raises `Invalid`, `BadRequest` or `RequestTooLarge`."""
    raw = await read_limited(request)
    body = decode_object(raw, request.content_type) if raw.strip() else {}
    dry_run = parse_dry_run(request.query.getall("dryRun", []), "DeleteOptions")
    return parse_options(body, request.query, dry_run=dry_run)
