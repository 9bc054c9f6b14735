"""Bookkeeping is spliced into texts, and taken out again, without a trace."""

from __future__ import annotations

import orjson
import pytest

from threeport.krm.sealing import Sealer
from threeport.krm.views import Views, split_bookkeeping
from threeport.resources.kind import Kind
from threeport.store.records import Key, StoredObject, encode_body

KIND = Kind(kind="Thing", plural="things", singular="thing")
OWN = {"a.kopf.threeport.io/x": '{"quote\\"": 1}'}


@pytest.mark.parametrize("annotations", [None, {}, {"note": "mine"}])
@pytest.mark.parametrize("controller", [None, "a", "b", "c"])
def test_each_door_shows_its_own_bookkeeping(annotations: dict[str, str] | None, controller: str | None) -> None:
    metadata = {"name": "x", **({} if annotations is None else {"annotations": annotations})}
    body = encode_body({"apiVersion": "v1", "kind": "Thing", "metadata": metadata})
    bookkeeping = {"a": OWN, "b": {"b.kopf.threeport.io/y": "2"}}
    stored = StoredObject(
        key=Key("things", "", "x"), uid="u", revision=7, generation=1, body=body, bookkeeping=bookkeeping
    )
    text = Views(Sealer(b"k" * 32)).text(KIND, stored, controller)
    obj = orjson.loads(text)
    assert obj["metadata"]["resourceVersion"] == "7"
    wanted = {**(annotations or {}), **bookkeeping.get(controller or "", {})}
    assert obj["metadata"].get("annotations", {}) == wanted
    own, dropped = split_bookkeeping(obj, controller)
    assert own == bookkeeping.get(controller or "", {})
    assert not dropped
    assert obj["metadata"].get("annotations", {}) == (annotations or {})


def test_a_plain_caller_cannot_write_bookkeeping() -> None:
    obj = {"metadata": {"annotations": {**OWN, "note": "mine"}}}
    assert split_bookkeeping(obj, None) == ({}, list(OWN))
    assert obj["metadata"]["annotations"] == {"note": "mine"}
