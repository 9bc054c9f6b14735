"""What kopf remembers of an object, reduced to what a level-triggered controller needs.

- kopf keeps waiting out the delay of a failed attempt when a person has mended the spec meanwhile. Here a record of
  progress is valid only for what it was made for: a new generation, or a wake-up call, starts over at once.
- kopf keeps a copy of the whole object to tell what has changed. Here the generation stands for the spec, since our
  handlers look at the present state only; so bookkeeping stays small, whatever a workload holds.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, Final, cast

import kopf

from threeport.resources.annotations import WAKE

WAKE_ANNOTATION: Final = WAKE

_MADE_FOR: Final = "madeFor"


class GenerationDiffBase(kopf.AnnotationsDiffBaseStorage):
    """Tells changes by the generation and the wake-up call."""

    def build(self, *, body: kopf.Body, extra_fields: Iterable[kopf.FieldSpec] | None = None) -> kopf.BodyEssence:
        """What is compared, and remembered once it is handled: no fields, so handlers cannot ask for their changes."""
        del extra_fields
        return cast(kopf.BodyEssence, {"state": _state_of(body)})


class ProgressOfGeneration(kopf.AnnotationsProgressStorage):
    """Progress in annotations, each record marked with the state of the object that it belongs to."""

    def fetch(self, *, key: kopf.HandlerId, body: kopf.Body) -> kopf.ProgressRecord | None:
        """The record; without delay and count if the object has changed since it was stored."""
        found = cast("dict[str, Any] | None", super().fetch(key=key, body=body))
        if found is None:
            return None
        unchanged = found.pop(_MADE_FOR, None) == _state_of(body)
        kept = found if unchanged or found.get("success") or found.get("failure") else _begun_anew(found)
        return cast(kopf.ProgressRecord, kept)

    def store(self, *, key: kopf.HandlerId, record: kopf.ProgressRecord, body: kopf.Body, patch: kopf.Patch) -> None:
        """Stores the record together with the state of the object that it is made for."""
        marked = cast(kopf.ProgressRecord, {**record, _MADE_FOR: _state_of(body)})
        super().store(key=key, record=marked, body=body, patch=patch)


def _begun_anew(record: dict[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in record.items() if name not in ("delayed", "retries", "message")}


def _state_of(body: kopf.Body) -> str:
    metadata = body.metadata
    return f"{metadata.get('generation', 0)}/{metadata.annotations.get(WAKE_ANNOTATION, '')}"
