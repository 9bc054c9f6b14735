"""Selectors mean what they mean in Kubernetes."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from threeport.common.errors import BadRequest
from threeport.krm.reading.selectors import (
    labels_match,
    parse_field_selector,
    parse_label_selector,
    parse_reference,
    parse_shard,
)


@pytest.mark.parametrize(
    ("selector", "labels", "matches"),
    [
        ("", {}, True),
        ("a=b", {"a": "b"}, True),
        ("a==b", {"a": "c"}, False),
        ("a!=b", {}, True),
        ("a!=b", {"a": "b"}, False),
        ("a in (b, c)", {"a": "c"}, True),
        ("a in (b,c),d", {"a": "c"}, False),
        ("a notin (b,c)", {}, True),
        ("a notin (b,c)", {"a": "c"}, False),
        ("a", {"a": ""}, True),
        ("!a", {}, True),
        ("! a , b", {"b": "x"}, True),
        ("a=", {"a": ""}, True),
        ("a>1", {"a": "2"}, True),
        ("a > 1, b", {"a": "2"}, False),
        ("a>1", {"a": "1"}, False),
        ("a<10", {"a": "9"}, True),
        ("a<10", {"a": "x"}, False),
        ("a<10", {}, False),
        ("example.com/in=in,notin", {"example.com/in": "in", "notin": ""}, True),
    ],
)
def test_a_label_selector_selects_as_in_kubernetes(selector: str, labels: dict[str, str], matches: bool) -> None:
    assert labels_match(parse_label_selector(selector), labels) is matches


@pytest.mark.parametrize(
    "selector",
    [
        "a in b", "a=b c", "=", "a in (b", "a,,b", "a,", "!a=b", "a in ($)", "(a)", "a>b", "a>", "!a>1", "a=-b", "a=b-",
        "A/b=c", "a_/b", f"a={'x' * 64}", "x" * 64,
    ],
)  # fmt: skip
def test_a_selector_that_is_none_is_refused(selector: str) -> None:
    with pytest.raises(BadRequest, match="labelSelector"):
        parse_label_selector(selector)


@given(st.text(max_size=60))
def test_no_selector_ends_in_anything_but_requirements_or_a_bad_request(text: str) -> None:
    for parse in (parse_label_selector, parse_shard, parse_reference, lambda t: parse_field_selector(t, "events")):
        try:
            parse(text)
        except BadRequest:
            continue


def test_events_are_selected_by_what_they_are_about() -> None:
    selector = parse_field_selector("involvedObject.name=w,type!=Normal,metadata.namespace=n", "events")
    assert selector.namespace == "n"
    assert selector.matches({"involvedObject": {"name": "w"}, "type": "Warning"})
    assert not selector.matches({"involvedObject": {"name": "w"}, "type": "Normal"})
    with pytest.raises(BadRequest, match="not supported"):
        parse_field_selector("involvedObject.name=w", "workloads.threeport.io")


def test_values_of_field_selectors_may_hold_commas_that_are_escaped() -> None:
    selector = parse_field_selector(r"metadata.name=a\,b\=c\\d,metadata.namespace=x", "events")
    assert (selector.name, selector.namespace) == (r"a,b=c\d", "x")
    for wrong in ("metadata.name=a=b", "metadata.name=a\\"):
        with pytest.raises(BadRequest, match="fieldSelector"):
            parse_field_selector(wrong, "events")
