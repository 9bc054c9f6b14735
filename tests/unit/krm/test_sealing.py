"""Sealing of sensitive fields: what is stored, what is shown, and what comes back."""

from __future__ import annotations

import copy
from typing import Any

import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st

from threeport.common.errors import ApiError, Invalid
from threeport.krm.sealing import LAST_APPLIED, SEALED, Sealer
from threeport.resources.kind import Kind

KIND = Kind(
    kind="Thing",
    plural="things",
    group="threeport.io",
    version="v1alpha1",
    singular="thing",
    sensitive=(("spec", "token"), ("spec", "key"), ("spec", "users", "*", "password")),
    manifests=(("spec", "manifests"),),
)
CANARY = "c4n4ry-very-secret"
SEALER = Sealer(bytes(range(32)))


def thing(**spec: Any) -> dict[str, Any]:
    return {"apiVersion": "threeport.io/v1alpha1", "kind": "Thing", "metadata": {"name": "a"}, "spec": spec}


def secret(**data: Any) -> dict[str, Any]:
    return {"apiVersion": "v1", "kind": "Secret", "metadata": {"name": "s"}, "stringData": data}


def sealed(obj: dict[str, Any], old: dict[str, Any] | None = None) -> dict[str, Any]:
    made = copy.deepcopy(obj)
    SEALER.seal(KIND, made, old)
    return made


def redacted(obj: dict[str, Any]) -> dict[str, Any]:
    return orjson.loads(SEALER.redact(KIND, orjson.dumps(obj).decode()))


def revealed(obj: dict[str, Any]) -> dict[str, Any]:
    made = copy.deepcopy(obj)
    SEALER.reveal(KIND, made)
    return made


EVERYWHERE = thing(
    token=CANARY,
    key=CANARY,
    users=[{"name": "u", "password": CANARY}],
    manifests=[
        secret(a=CANARY, b="other"),
        {"apiVersion": "v1", "kind": "Secret", "data": CANARY},
        {"apiVersion": "v1", "kind": "List", "items": [secret(c=CANARY)]},
        {"kind": "Secret", "metadata": {"annotations": {LAST_APPLIED: CANARY}}},
        f"kind: Secret\nstringData: {{d: {CANARY}}}",
        {"apiVersion": "v1", "kind": "ConfigMap", "data": {"open": "yes"}},
    ],
)


def test_no_sensitive_value_is_stored_or_shown_in_clear() -> None:
    stored = sealed(EVERYWHERE)
    assert CANARY not in str(stored)
    assert CANARY not in str(redacted(stored))
    assert "sealed:" not in str(redacted(stored))


def test_what_is_not_sensitive_stays_as_it_is() -> None:
    shown = redacted(sealed(EVERYWHERE))
    assert shown["spec"]["users"][0]["name"] == "u"
    assert shown["spec"]["manifests"][5] == EVERYWHERE["spec"]["manifests"][5]


def test_reveal_gives_back_exactly_what_was_sealed() -> None:
    assert revealed(sealed(EVERYWHERE)) == EVERYWHERE


def test_sealing_the_same_object_again_is_no_change() -> None:
    stored = sealed(EVERYWHERE)
    assert sealed(EVERYWHERE, stored) == stored


def test_an_object_that_is_written_as_it_was_read_keeps_its_secrets() -> None:
    stored = sealed(EVERYWHERE)
    assert sealed(redacted(stored), stored) == stored


def test_an_object_made_from_its_stored_form_keeps_its_secrets() -> None:
    stored = sealed(EVERYWHERE)
    assert sealed(stored, stored) == stored


def test_equal_values_have_equal_placeholders_and_others_have_not() -> None:
    shown = redacted(sealed(thing(token=CANARY, key=CANARY, users=[{"password": "x"}])))["spec"]
    assert shown["token"] == shown["key"] != shown["users"][0]["password"]


def test_a_placeholder_may_move_to_another_field_of_the_same_object() -> None:
    stored = sealed(thing(token=CANARY))
    placeholder = redacted(stored)["spec"]["token"]
    moved = sealed(thing(key=placeholder), stored)
    assert revealed(moved)["spec"] == {"key": CANARY}


def test_a_placeholder_that_stands_for_nothing_is_refused_with_the_field_and_what_to_do() -> None:
    with pytest.raises(Invalid) as refused:
        sealed(thing(users=[{"password": "redacted:0123456789abcdef"}]), sealed(thing(token="x")))
    assert refused.value.causes[0].field == "spec.users[0].password"
    assert "give the value" in refused.value.message


def test_input_that_poses_as_sealed_is_refused() -> None:
    theirs = sealed(thing(token=CANARY))["spec"]["token"]
    for value in (theirs, "sealed:", "sealed:v1:0123456789abcdef:AAAA"):
        with pytest.raises(Invalid, match="sealed"):
            sealed(thing(token=value), None)
    with pytest.raises(Invalid):
        sealed(thing(key=theirs), sealed(thing(token=CANARY)))


def test_a_sealed_value_opens_in_no_other_field_and_with_no_other_key() -> None:
    stored = sealed(thing(token=CANARY))
    with pytest.raises(ApiError, match="sealed with another key"):
        SEALER.reveal(KIND, thing(key=stored["spec"]["token"]))
    with pytest.raises(ApiError, match=r"sealing\.key"):
        Sealer(bytes(32)).reveal(KIND, stored)


def test_the_copy_that_kubectl_keeps_holds_placeholders_only() -> None:
    obj = copy.deepcopy(EVERYWHERE)
    obj["metadata"]["annotations"] = {LAST_APPLIED: orjson.dumps(EVERYWHERE).decode()}
    stored = sealed(obj)
    copied = orjson.loads(stored["metadata"]["annotations"][LAST_APPLIED])
    assert CANARY not in str(stored)
    assert copied["spec"]["token"] == redacted(stored)["spec"]["token"]
    assert sealed(stored, stored) == stored


def test_the_copy_that_kubectl_keeps_stays_as_it_is_where_nothing_is_sensitive() -> None:
    obj = thing()
    text = f'{{"spec": {{}}, "metadata": {{"name": "{obj["metadata"]["name"]}"}}}}\n'
    obj["metadata"]["annotations"] = {LAST_APPLIED: text}
    assert sealed(obj)["metadata"]["annotations"][LAST_APPLIED] == text


def test_a_copy_of_kubectl_that_cannot_be_read_is_refused() -> None:
    obj = thing(token="x")
    obj["metadata"]["annotations"] = {LAST_APPLIED: f"{{{CANARY}"}
    with pytest.raises(Invalid) as refused:
        sealed(obj)
    assert CANARY not in refused.value.message


def test_a_key_of_the_wrong_length_is_refused() -> None:
    with pytest.raises(ValueError, match="instead of 32"):
        Sealer(b"short")


def test_absent_and_null_fields_are_left_alone() -> None:
    obj = thing(token=None, users=[], manifests=[{"kind": "Secret", "data": None}, 5, None])
    assert sealed(obj) == obj


json_values = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**53), 2**53) | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=8,
)


@given(st.lists(json_values, max_size=4), json_values)
def test_any_value_survives_sealing_and_no_shape_of_input_breaks_it(manifests: list[Any], token: Any) -> None:
    obj = thing(manifests=[*manifests, {"kind": "Secret", "data": {"x": token}}], token=token, users=token)
    stored = sealed(obj)
    assert revealed(stored) == obj
    assert sealed(obj, stored) == stored
    assert token is None or SEALED.fullmatch(stored["spec"]["token"])
