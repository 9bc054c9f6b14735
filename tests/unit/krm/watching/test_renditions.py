"""One encoding for all watches, and a bounded number of them."""

from __future__ import annotations

import tracemalloc

from threeport.krm.negotiation import Form
from threeport.krm.sealing import Sealer
from threeport.krm.views import Views
from threeport.krm.watching.renditions import Rendition, Renditions
from threeport.resources.kind import Kind
from threeport.store.records import Key, StoredObject, encode_body

KIND = Kind(kind="Thing", plural="things", singular="thing")
BODY = encode_body({"apiVersion": "v1", "kind": "Thing", "metadata": {"name": "x"}})


def rendition(renditions: Renditions, revision: int, controller: str | None = None) -> Rendition:
    stored = StoredObject(
        key=Key("things", "", "x"), uid=f"uid-{revision}", revision=revision, generation=1, body=BODY, bookkeeping={}
    )
    return renditions.of(KIND, stored, controller, Form.OBJECT, "Metadata")


def test_watches_of_a_user_and_of_a_controller_without_bookkeeping_share_an_encoding() -> None:
    renditions = Renditions(Views(Sealer(b"k" * 32)))
    assert rendition(renditions, 1) is rendition(renditions, 1, "workload")


def test_what_is_kept_of_small_objects_takes_no_more_memory_than_it_should() -> None:
    most = 2**20
    renditions = Renditions(Views(Sealer(b"k" * 32)), most=most)
    tracemalloc.start()
    try:
        for revision in range(10_000):
            rendition(renditions, revision)
        kept, _ = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert most / 2 < kept < most * 1.5
    newest = rendition(renditions, 9_999)
    assert newest is rendition(renditions, 9_999)
    rendition(renditions, 0)
    assert newest is rendition(renditions, 9_999), "the oldest go first"
