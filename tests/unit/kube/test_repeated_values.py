"""What clusters say is told without the values that they repeat. The messages are those of kube-apiserver 1.36."""

from __future__ import annotations

import base64
import json
from collections.abc import Callable

import pytest
from hypothesis import given
from hypothesis import strategies as st

from threeport.kube.repeated_values import without_values

TYPED = "failed to create typed patch object (a/x; /v1, Kind=Secret): "


@pytest.mark.parametrize(
    ("message", "told"),
    [
        (".data.a: expected string, got &value.valueUnstructured{Value:98765}", ".data.a: expected string"),
        (".data: expected map, got &{canary}", ".data: expected map"),
        (".data: expected map, got &{can): ary\n  .b: expected map, got &{canary}}", ".data: expected map"),
        (".a: expected numeric (int or float), got string", ".a: expected numeric (int or float), got string"),
        (".data.b: field not declared in schema", ".data.b: field not declared in schema"),
    ],
)
def test_an_apply_with_a_wrong_type_tells_the_field_and_the_type_alone(message: str, told: str) -> None:
    assert without_values(TYPED + message) == TYPED + told


@pytest.mark.parametrize(
    ("value", "told"),
    [
        ('{"env":[{"value":"x}: canary"}]}', "immutable"),
        ('["x]: canary"]', "immutable"),
        (json.dumps("canary: " * 20), "immutable"),
        ('"Foo_Bar"', '"Foo_Bar": immutable'),
        ("-1", "-1: immutable"),
        ('core.PodTemplateSpec{Env:[]core.EnvVar{{Value:"canary"}}}', "..."),
        ('map[string]string{"a":"canary"}', "..."),
        ('{"cut short by somebody":"cana', "..."),
        ('"' + "canary " * 20, "..."),
    ],
)
def test_whole_objects_and_long_texts_are_left_out_and_short_ones_are_told(value: str, told: str) -> None:
    message = f'Job "pi" is invalid: spec.template: Invalid value: {value}: immutable'
    assert without_values(message) == f'Job "pi" is invalid: spec.template: Invalid value: {told}'


def test_what_stands_after_a_value_is_told() -> None:
    message = 'x: [a: Invalid value: {"b":1}: wrong, c: Invalid value: "d": wrong, e: Required value]'
    assert without_values(message) == 'x: [a: Invalid value: wrong, c: Invalid value: "d": wrong, e: Required value]'


def test_a_webhook_that_repeats_a_value_of_a_secret_is_not_believed() -> None:
    given_text = {"a": 'can"ary', "b": ["98765"]}
    manifest = {"kind": "Secret", "stringData": given_text, "data": {"c": "Y2FuYXJ5", "d": 98765}}
    message = r'admission webhook denied the request: "can\"ary", can"ary, canary, Y2FuYXJ5, 98765 are weak'
    assert without_values(message, manifest) == (
        'admission webhook denied the request: "...", ..., ..., ..., ... are weak'
    )


def test_values_of_other_kinds_that_are_short_are_told() -> None:
    manifest = {"kind": "ConfigMap", "data": {"a": "canary"}}
    assert without_values('denied: "canary" is weak', manifest) == 'denied: "canary" is weak'


def in_base64(text: str) -> str:
    """As in ``data``."""
    return base64.b64encode(text.encode()).decode()


@given(value=st.text(min_size=4), encode=st.sampled_from([str, lambda text: json.dumps(text)[1:-1], in_base64]))
def test_no_value_of_a_secret_is_told_whatever_it_looks_like(value: str, encode: Callable[[str], str]) -> None:
    value = f"canary{value}"
    for said in ("denied: %s", "Invalid value: %s: is weak", ".data: expected map, got &{%s}"):
        told = without_values(said % encode(value), {"kind": "Secret", "stringData": {"a": value}})
        assert "canary" not in told
        assert in_base64("canary")[:8] not in told
