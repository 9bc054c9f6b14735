"""Validation of an object against its kind: by its pydantic model, or by its schema where it has none.

Messages are those of Kubernetes where clients or people know them: ``strict decoding error: unknown field "spec.x"``.
Values are never part of a message, since they may be secret.
"""

from __future__ import annotations

from typing import Any

import orjson
from pydantic import BaseModel, ValidationError

from threeport.common.errors import BadRequest, Cause, Invalid
from threeport.common.types import FrozenJson, JsonObject
from threeport.resources.kind import FieldValidation, Kind
from threeport.resources.structural import Findings, Location, check, normalise, path_text, prune

_METADATA_FIELDS = frozenset({
    "name", "generateName", "namespace", "selfLink", "uid", "resourceVersion", "generation", "creationTimestamp",
    "deletionTimestamp", "deletionGracePeriodSeconds", "labels", "annotations", "ownerReferences", "finalizers",
    "managedFields",
})  # fmt: skip

_REQUIRED = {"missing", "string_too_short", "too_short"}


def validate(kind: Kind, body: JsonObject, field_validation: FieldValidation) -> tuple[JsonObject, list[str]]:
    """The object with defaults filled in, and warnings. Changes and returns `body`.

    Unknown fields are a `BadRequest` under ``Strict``, a warning each under ``Warn``; unless ``Strict`` they are
    dropped. Raises `Invalid` with a cause for everything else that is wrong. ``metadata`` is checked by the server.
    """
    normalise(body, kind.schema)
    findings = _by_model(kind.model, body) if _is_model(kind.model) else _by_schema(kind, body)
    findings.unknown += [("metadata", name) for name in body["metadata"] if name not in _METADATA_FIELDS]
    unknown = [f'unknown field "{path_text(location)}"' for location in findings.unknown]
    wrong = [f"{cause.field}: {cause.message}" for cause in findings.causes]
    if unknown and field_validation == "Strict":
        raise BadRequest(
            f"{kind.kind} in version {kind.version!r} cannot be handled as a {kind.kind}: "
            f"strict decoding error: {'; '.join([', '.join(unknown), *wrong])}"
        )
    if wrong:
        name = str(body["metadata"].get("name", ""))
        # What is missing is often there, misspelt: so the unknown fields come first, and without warnings' limits.
        said = "; ".join([*unknown, *wrong])
        raise Invalid(f'{kind.kind} "{name}" is invalid: {said}', kind=kind.plural, name=name, causes=findings.causes)
    for location in findings.unknown:
        prune(body, location)
    return body, unknown if field_validation == "Warn" else []


def _is_model(model: type | None) -> bool:
    return model is not None and issubclass(model, BaseModel)


def _by_schema(kind: Kind, body: FrozenJson) -> Findings:
    findings = Findings()
    check({key: value for key, value in body.items() if key != "metadata"}, kind.schema, (), findings)
    findings.causes = [cause for cause in findings.causes if cause.field != "metadata"]
    return findings


def _by_model(model: Any, body: FrozenJson) -> Findings:
    """Through JSON and strictly: what is stored is `body` itself, so a value must not need converting."""
    findings = Findings()
    raw = orjson.dumps({key: value for key, value in body.items() if key != "metadata"})
    try:
        model.model_validate_json(raw, strict=True, by_alias=True, by_name=False)
    except ValidationError as error:
        for found in error.errors(include_url=False, include_context=False, include_input=False):
            _sort_in(found["type"], found["loc"], found["msg"], findings)
    return findings


def _sort_in(error_type: str, location: Location, message: str, findings: Findings) -> None:
    if error_type == "extra_forbidden":
        findings.unknown.append(location)
        return
    if error_type == "missing":
        message = "Required value"
    message = message.removeprefix("Value error, ")  # pydantic's words for what a validator of ours says
    reason = "FieldValueRequired" if error_type in _REQUIRED else "FieldValueInvalid"
    findings.causes.append(Cause(path_text(location), message, reason))
