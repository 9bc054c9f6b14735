"""Bodies as text: what is spliced in and left out."""

from __future__ import annotations

import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st

from threeport.common.types import JsonObject
from threeport.store.records import ANNOTATED_PREFIX, BODY_PREFIX, Key, StoredObject, encode_body

json_values = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**53), 2**53) | st.text(st.characters(codec="utf-8")),
    lambda inner: (
        st.lists(inner, max_size=3) | st.dictionaries(st.text(st.characters(codec="utf-8")), inner, max_size=3)
    ),
    max_leaves=8,
)
objects = st.dictionaries(st.text(st.characters(codec="utf-8")), json_values, max_size=4)


def stored(body: str, revision: int = 42) -> StoredObject:
    return StoredObject(key=Key("r", "n", "o"), uid="u", revision=revision, generation=1, body=body)


@given(metadata=objects, rest=objects)
def test_an_object_is_served_as_it_was_stored_with_its_revision(metadata: JsonObject, rest: JsonObject) -> None:
    expected = {**rest, "metadata": {**metadata, "resourceVersion": "42"}}
    if not expected["metadata"].get("annotations", True):
        del expected["metadata"]["annotations"]
    assert stored(encode_body({**rest, "metadata": metadata})).decoded() == expected


@pytest.mark.parametrize("metadata", [{}, {"name": "a"}, {"resourceVersion": "1"}])
def test_every_stored_body_starts_with_its_metadata(metadata: JsonObject) -> None:
    body = encode_body({"kind": "Thing", "metadata": metadata})
    assert body.startswith(BODY_PREFIX)
    assert "resourceVersion" not in body
    assert orjson.loads(stored(body).served())["metadata"]["resourceVersion"] == "42"


def test_annotations_stand_in_front() -> None:
    body = encode_body({"metadata": {"name": "a", "annotations": {"x": "y"}}})
    assert body.startswith(ANNOTATED_PREFIX)
