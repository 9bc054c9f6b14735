"""Manifests are split into objects, and what is wrong is said with its place."""

from __future__ import annotations

import contextlib

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from threeport.common.errors import Invalid
from threeport.resources.manifests import ObjectId, digest_of, identity_of, split_manifests
from threeport.resources.yaml_text import YamlError, load_documents

CONFIG_MAP = {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "a"}, "data": {"k": "v"}}


def config_map(name: str) -> dict[str, object]:
    return {**CONFIG_MAP, "metadata": {"name": name}}


def refusal(*items: object) -> Invalid:
    with pytest.raises(Invalid) as caught:
        split_manifests(items)
    return caught.value


def test_text_with_several_documents_becomes_objects_and_empty_documents_are_skipped() -> None:
    text = "---\n# nothing\n---\n" + yaml.safe_dump(config_map("a")) + "---\n" + yaml.safe_dump(config_map("b"))
    assert split_manifests([text, config_map("c")]) == [config_map("a"), config_map("b"), config_map("c")]


def test_lists_are_flattened_however_deep() -> None:
    inner = {"apiVersion": "v1", "kind": "ConfigMapList", "items": [config_map("b")]}
    outer = {"apiVersion": "v1", "kind": "List", "items": [config_map("a"), inner]}
    assert split_manifests([outer]) == [config_map("a"), config_map("b")]


def test_bad_yaml_names_item_document_and_line() -> None:
    text = yaml.safe_dump(config_map("a")) + "---\nkind: Pod\nmetadata: {name: x\n---\n"
    error = refusal(config_map("z"), text)
    assert error.causes[0].field == "spec.manifests[1]"
    assert "document 2, line 10" in error.message or "document 2, line 11" in error.message


def test_all_that_is_missing_is_said_at_once_with_its_field() -> None:
    error = refusal({"kind": "Pod"}, "apiVersion: v1\nkind: Pod\nmetadata: {}")
    fields = [cause.field for cause in error.causes]
    assert fields == [
        "spec.manifests[0].apiVersion",
        "spec.manifests[0].metadata",
        "spec.manifests[1].metadata.name",
    ]


@pytest.mark.parametrize("name", ["../x", "a/b", "..", ".", "a%2fb", "a b", "a\n", "x" * 254])
def test_a_name_that_would_lead_a_path_astray_is_refused(name: str) -> None:
    assert refusal(config_map(name)).causes[0].field == "spec.manifests[0].metadata.name"


def test_no_end_of_a_line_hides_behind_what_is_checked() -> None:
    ended = {"apiVersion": "v1\n", "kind": "ConfigMap\n", "metadata": {"name": "a\n", "namespace": "b\n"}}
    assert [cause.field.removeprefix("spec.manifests[0].") for cause in refusal(ended).causes] == [
        "apiVersion",
        "kind",
        "metadata.name",
        "metadata.namespace",
    ]


def test_numbers_of_64_bits_are_numbers() -> None:
    text = "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: x}\nv: [18446744073709551615, -9223372036854775808, 0o17]"
    assert split_manifests([text])[0]["v"] == [2**64 - 1, -(2**63), 15]


def test_names_of_rbac_objects_may_hold_colons() -> None:
    role = {"apiVersion": "rbac.authorization.k8s.io/v1", "kind": "ClusterRole", "metadata": {"name": "system:x:y"}}
    assert split_manifests([role]) == [role]


def test_the_same_object_twice_is_refused_even_in_another_version_of_its_group() -> None:
    first = {"apiVersion": "apps/v1", "kind": "Deployment", "metadata": {"name": "a"}}
    error = refusal(first, {**first, "apiVersion": "apps/v1beta1"})
    assert error.causes[0].field == "spec.manifests[1]"
    assert "spec.manifests[0]" in error.message


def test_the_same_name_in_another_namespace_or_kind_is_another_object() -> None:
    elsewhere = {**CONFIG_MAP, "metadata": {"name": "a", "namespace": "other"}}
    assert len(split_manifests([CONFIG_MAP, elsewhere, {**CONFIG_MAP, "kind": "Secret"}])) == 3


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("kind: A\nkind: B", "given twice"),
        ("a: &a [*a]", "contains itself"),
        ("a: !!python/object:os.system x", "constructor"),
        ("a: !!binary aGk=", "no JSON"),
        ("? [a]\n: b", "key must be a string"),
        ("[" * 200 + "]" * 200, "nested"),
        ("[" * 20000 + "]" * 20000, "document 1"),
        ("{}\n--- - x", "document"),
        ("a: .nan\nb: .inf\nkind: ''", "missing"),
        ("a: 18446744073709551616", "64 bits"),
        ("a: -9_223_372_036_854_775_809", "64 bits"),
        ("a: 0x10000000000000000", "64 bits"),
    ],
)
def test_yaml_that_stands_for_no_json_object_is_refused(text: str, said: str) -> None:
    assert said in refusal(text).message


def test_an_alias_bomb_is_refused_without_being_expanded() -> None:
    lines = ["a0: &a0 [x,x,x,x,x,x,x,x,x,x]"]
    lines += [f"a{i}: &a{i} [{','.join([f'*a{i - 1}'] * 10)}]" for i in range(1, 30)]
    assert "aliases" in refusal("\n".join(lines)).message


def test_values_are_read_as_kubernetes_reads_them() -> None:
    text = (
        "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: x}\nbase: &b {k: 1}\n"
        "v: {port: 22:22, day: 2020-01-01, mode: 0644, big: 1e3, on: on, 1: a, hex: 0x1F, ver: 1.2.3, <<: *b}"
    )
    assert split_manifests([text])[0]["v"] == {
        "port": "22:22", "day": "2020-01-01", "mode": 420, "big": 1000.0, "true": True, "1": "a", "hex": 31,
        "ver": "1.2.3", "k": 1,
    }  # fmt: skip


def test_nothing_at_all_is_refused() -> None:
    assert "no Kubernetes object" in refusal("# only a comment").message


def test_a_generated_name_is_refused_since_applying_twice_would_make_two() -> None:
    assert "generateName" in refusal({**CONFIG_MAP, "metadata": {"generateName": "a-"}}).causes[0].field


def test_labels_must_be_text() -> None:
    labelled = {**CONFIG_MAP, "metadata": {"name": "a", "labels": {"version": 1}}}
    assert "quotes" in refusal(labelled).message


@given(st.text(max_size=300))
def test_any_text_is_either_split_or_refused(text: str) -> None:
    with contextlib.suppress(Invalid):
        assert split_manifests([text])


def test_the_digest_depends_on_content_and_order_but_not_on_the_order_of_keys() -> None:
    a, b = config_map("a"), config_map("b")
    assert digest_of([a, b]) == digest_of([dict(reversed(a.items())), b])
    assert digest_of([a, b]) != digest_of([b, a])
    assert digest_of([a]) != digest_of([b])


def test_an_object_is_identified_by_group_kind_namespace_and_name() -> None:
    assert identity_of(CONFIG_MAP) == ObjectId("", "ConfigMap", "", "a")


@pytest.mark.parametrize("text", ["[" * 200_000, '{"a":' * 200_000, "- " * 5_000 + "a", "? " * 5_000 + "a"])
def test_a_text_nested_without_end_is_refused_before_it_can_end_the_process(text: str) -> None:
    with pytest.raises(YamlError, match="nested deeper than 100 levels"):
        list(load_documents(text))


def test_a_path_among_the_manifests_is_told_as_such() -> None:
    with pytest.raises(Invalid, match=r"spec.manifests\[0\]: .* not the path 'web.yaml'; `tptctl apply` puts the file"):
        split_manifests(["web.yaml"])
