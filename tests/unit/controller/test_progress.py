"""kopf's memory of an object is good for one generation and one wake-up call."""

from __future__ import annotations

from typing import Any, cast

import kopf

from threeport.controller.progress import WAKE_ANNOTATION, GenerationDiffBase, ProgressOfGeneration

PREFIX = "workload.kopf.threeport.io"
RECORD = cast(kopf.ProgressRecord, {"started": "2026-01-01T00:00:00", "delayed": "2026-01-01T01:00:00", "retries": 7})


def body(generation: int, **annotations: str) -> kopf.Body:
    metadata = {"name": "a", "uid": "u", "generation": generation, "annotations": annotations}
    return kopf.Body(cast(kopf.RawBody, {"metadata": metadata, "spec": {"x": 1}, "status": {"y": 2}}))


def stored(at: kopf.Body) -> dict[str, str]:
    patch = kopf.Patch()
    storage().store(key=cast(kopf.HandlerId, "fn"), record=RECORD, body=at, patch=patch)
    return {key: str(value) for key, value in patch.metadata.annotations.items()}


def storage() -> ProgressOfGeneration:
    return ProgressOfGeneration(prefix=PREFIX, v1=False)


def fetched(at: kopf.Body) -> Any:
    return storage().fetch(key=cast(kopf.HandlerId, "fn"), body=at)


def test_progress_is_kept_while_the_object_stays_the_same() -> None:
    assert fetched(body(3, **stored(body(3)))) == RECORD


def test_a_new_generation_starts_over_at_once() -> None:
    assert fetched(body(4, **stored(body(3)))) == {"started": RECORD["started"]}


def test_a_wake_up_call_starts_over_at_once() -> None:
    record = stored(body(3))
    assert fetched(body(3, **record, **{WAKE_ANNOTATION: "runtime/7"})) == {"started": RECORD["started"]}


def test_only_the_generation_and_the_call_count_as_changes() -> None:
    diff_base = GenerationDiffBase(prefix=PREFIX, v1=False)
    assert diff_base.build(body=body(3)) == diff_base.build(body=body(3, other="annotation"))
    assert diff_base.build(body=body(3)) != diff_base.build(body=body(4))
    assert diff_base.build(body=body(3)) != diff_base.build(body=body(3, **{WAKE_ANNOTATION: "x"}))


def test_what_is_remembered_does_not_grow_with_the_object() -> None:
    patch = kopf.Patch()
    diff_base = GenerationDiffBase(prefix=PREFIX, v1=False)
    diff_base.store(body=body(3), patch=patch, essence=diff_base.build(body=body(3)))
    assert patch.metadata.annotations[f"{PREFIX}/last-handled-configuration"] == '{"state":"3/"}\n'
