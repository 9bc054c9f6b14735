"""The three patches that change an object by what is sent: merge patch, JSON patch, strategic merge patch."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Final

import jsonpatch
import orjson
from jsonpointer import JsonPointerException

from threeport.common.errors import BadRequest, Invalid, RequestTooLarge, UnsupportedMediaType
from threeport.common.types import JsonObject
from threeport.krm.bodies import REQUEST_LIMIT, decode
from threeport.krm.strategic import strategic_merged
from threeport.resources.kind import Kind

MERGE = "application/merge-patch+json"
JSON_PATCH = "application/json-patch+json"
STRATEGIC = "application/strategic-merge-patch+json"
APPLY: Final = "application/apply-patch+yaml"

OPERATIONS_LIMIT = 10_000
"""Operations of one JSON patch, as in Kubernetes."""


def parse_patch(kind: Kind, media_type: str, raw: bytes) -> Callable[[JsonObject], JsonObject]:
    """A function that changes an object as the patch says.

    Raises `BadRequest` for a patch that is none, `UnsupportedMediaType` for a form that the kind does not take. The
    function raises `Invalid` (422) when the patch does not fit the object, as when a ``test`` fails: kopf relies on it.
    It may be called again, with a newer object.
    """
    if media_type == JSON_PATCH:
        operations = _operations(raw)
        return lambda obj: _json_patched(obj, orjson.loads(orjson.dumps(operations)))
    if media_type == MERGE or (media_type == STRATEGIC and takes_strategic(kind)):
        patch = decode(raw, media_type)
        if not isinstance(patch, dict):
            raise BadRequest('a merge patch must be a JSON object, such as {"spec": {...}}')
        merge = merge_patched if media_type == MERGE else strategic_merged
        return lambda obj: merge(obj, orjson.loads(orjson.dumps(patch)))
    accepted = [JSON_PATCH, MERGE, *([STRATEGIC] if takes_strategic(kind) else []), APPLY]
    raise UnsupportedMediaType(f"{media_type or 'nothing'} is no patch type here; send one of {', '.join(accepted)}")


def takes_strategic(kind: Kind) -> bool:
    """Whether the kind is one of Kubernetes itself: for those kubectl sends strategic merge patches."""
    return "." not in kind.group or kind.group.endswith(".k8s.io")


def merge_patched(obj: Any, patch: Any) -> Any:
    """RFC 7386: objects merge, null removes, anything else replaces. Changes `obj`."""
    if not isinstance(patch, dict):
        return patch
    target = obj if isinstance(obj, dict) else {}
    for key, value in patch.items():
        if value is None:
            target.pop(key, None)
        else:
            target[key] = merge_patched(target.get(key), value)
    return target


def _operations(raw: bytes) -> list[JsonObject]:
    operations = decode(raw, JSON_PATCH)
    if not isinstance(operations, list) or not all(isinstance(operation, dict) for operation in operations):
        raise BadRequest('a JSON patch must be a list, such as [{"op": "add", "path": "/spec/x", "value": 1}]')
    if len(operations) > OPERATIONS_LIMIT:
        raise RequestTooLarge(f"a JSON patch may have at most {OPERATIONS_LIMIT} operations")
    return operations


def _json_patched(obj: JsonObject, operations: list[JsonObject]) -> JsonObject:
    for operation in operations:
        obj = _step(obj, operation)
        if operation.get("op") == "copy" and len(orjson.dumps(obj)) > REQUEST_LIMIT:
            raise RequestTooLarge(f"the JSON patch makes the object larger than {REQUEST_LIMIT} bytes")
    if not isinstance(obj, dict):
        raise Invalid("the JSON patch leaves something that is no object")
    return obj


def _step(obj: JsonObject, operation: JsonObject) -> JsonObject:
    try:
        patched: JsonObject = jsonpatch.JsonPatch([operation]).apply(obj, in_place=True)
    except jsonpatch.InvalidJsonPatch as error:
        raise BadRequest(f"the JSON patch has an operation that is none: {error}") from None
    except jsonpatch.JsonPatchTestFailed:
        raise Invalid(f"the test of {operation.get('path')} failed: the object has changed; read it again") from None
    except (jsonpatch.JsonPatchException, JsonPointerException, TypeError, KeyError, ValueError, IndexError) as error:
        raise Invalid(f"the JSON patch does not fit the object at {operation.get('path')}: {error}") from None
    return patched
