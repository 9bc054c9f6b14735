"""In which order objects are applied and deleted."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from threeport.cli.ordering import Target, levels
from threeport.resources import load_catalog
from threeport.resources.kind import Kind

CATALOG = load_catalog()


def kind(word: str) -> Kind:
    found = CATALOG.by_word(word)
    assert found
    return found


def target(word: str, name: str, namespace: str = "default", **references: str) -> Target:
    spec = {f"{field}Ref": {"name": value} for field, value in references.items()}
    metadata = {"name": name} | ({"namespace": namespace} if kind(word).namespaced else {})
    return Target(kind(word), {"metadata": metadata, "spec": spec})


def names(found: list[list[Target]]) -> list[list[str]]:
    return [sorted(str(target) for target in level) for level in found]


def test_what_is_referred_to_comes_first() -> None:
    instance = target("wi", "web", definition="web", runtime="eu")
    targets = [instance, target("kri", "eu", definition="eu"), target("wd", "web"), target("krd", "eu")]
    assert names(levels(targets)) == [
        ["kubernetesruntimedefinition/eu", "workloaddefinition/web"],
        ["kubernetesruntimeinstance/eu"],
        ["workloadinstance/web"],
    ]


def test_a_namespace_comes_before_what_lies_in_it() -> None:
    assert names(levels([target("wl", "a", "team"), target("ns", "team")])) == [["namespace/team"], ["workload/a"]]


def test_a_reference_does_not_reach_into_another_namespace() -> None:
    assert len(levels([target("wi", "a", "one", definition="d"), target("wd", "d", "two")])) == 1


def test_manifests_are_no_references() -> None:
    workload = Target(kind("wl"), {"metadata": {"name": "a"}, "spec": {"manifests": [{"secretRef": {"name": "b"}}]}})
    assert len(levels([workload, target("wd", "b")])) == 1


@given(st.lists(st.tuples(st.integers(0, 5), st.integers(0, 5)), max_size=12))
def test_every_object_appears_once_even_if_references_run_in_circles(edges: list[tuple[int, int]]) -> None:
    targets = [target("wi", f"i{n}", **{f"r{to}": f"i{to}" for start, to in edges if start == n}) for n in range(6)]
    flat = [str(found) for level in levels(targets) for found in level]
    assert sorted(flat) == sorted(map(str, targets))
    if all(to < start for start, to in edges):
        for start, to in edges:
            assert flat.index(f"workloadinstance/i{to}") < flat.index(f"workloadinstance/i{start}")
