"""No body breaks the server, and what is accepted can be stored and sent again."""

from __future__ import annotations

import json

import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st

from threeport.common.errors import BadRequest, RequestTooLarge
from threeport.krm.bodies import decode, decode_object
from threeport.krm.protobuf import decode_protobuf

JSON = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**62), 2**62) | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(alphabet=st.characters(exclude_categories=["Cs"], exclude_characters="\0"), max_size=8),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.sampled_from("abcd"), inner, max_size=4),
    max_leaves=20,
)  # fmt: skip


@given(JSON)
def test_json_comes_through_unchanged(value: object) -> None:
    assert decode(json.dumps(value).encode(), "application/json") == value


@given(st.binary(max_size=80))
def test_any_bytes_are_a_value_that_can_be_stored_or_a_bad_request(raw: bytes) -> None:
    for content_type in ("application/json", "application/yaml"):
        try:
            orjson.dumps(decode(raw, content_type))
        except (BadRequest, RequestTooLarge):
            continue
    with pytest.raises(BadRequest):
        decode_protobuf(b"k8s\0" + raw)


def test_yaml_is_read_as_kubernetes_reads_it() -> None:
    text = b"date: 2024-01-01\non: 'yes'\nnumber: 010\nlist: [1, 2.5, null]\n"
    decoded = decode_object(text.replace(b"on:", b"'on':"), "application/yaml")
    assert decoded["date"] == "2024-01-01"
    assert decoded["on"] == "yes"
    assert decoded["list"] == [1, 2.5, None]


def test_duplicate_fields_are_named() -> None:
    with pytest.raises(BadRequest, match='duplicate field "b"'):
        decode(b'{"a": {"b": 1, "b": 2}}', "application/json")


@pytest.mark.parametrize(
    ("raw", "limit"),
    [
        (b"[" * 5000 + b"]" * 5000, "100 levels"),
        (b"[" * 300 + b"]" * 300, "100 levels"),
        (b'{"a":' * 101 + b"1" + b"}" * 101, "100 levels"),
        (b'{"a":[' + b"1," * 100_000 + b"1]}", "100000 values"),
    ],
)
def test_what_is_over_a_limit_is_told_the_limit(raw: bytes, limit: str) -> None:
    with pytest.raises(RequestTooLarge, match=limit):
        decode(raw, "application/json")


def test_a_byte_order_mark_is_named() -> None:
    with pytest.raises(BadRequest, match="byte order mark"):
        decode(b'\xef\xbb\xbf{"a": 1}', "application/json")


@pytest.mark.parametrize(("text", "limit"), [("[" * 5000, "100 levels"), ("a:\n" + "- b\n" * 200_001, "200000 values")])
def test_yaml_that_is_over_a_limit_is_told_the_limit_and_the_line(text: str, limit: str) -> None:
    with pytest.raises(RequestTooLarge, match=f"line .*{limit}"):
        decode(text.encode(), "application/yaml")
