"""The built-in kinds of simulated clusters, and those that definitions make."""

from __future__ import annotations

import re
from copy import deepcopy
from pathlib import Path
from typing import Any

import pytest
import yaml

from threeport.common.errors import BadRequest, Invalid
from threeport.krm.apply.applying import applied
from threeport.resources.validation import validate
from threeport.simulated.kinds import built_in_kinds
from threeport.simulated.kinds.extensions import kind_of_definition

SAMPLES = sorted((Path(__file__).parents[3] / "samples").glob("*/manifests.yaml"))


def documents(path: Path) -> list[dict[str, Any]]:
    return list(yaml.safe_load_all(path.read_text()))


@pytest.mark.parametrize("path", SAMPLES, ids=lambda path: path.parent.name)
def test_every_kind_of_the_samples_is_built_in_or_defined_beside(path: Path) -> None:
    catalog, found = built_in_kinds(), documents(path)
    for definition in (one for one in found if one["kind"] == "CustomResourceDefinition"):
        catalog.add(kind_of_definition(definition))
    for obj in found:
        assert catalog.by_kind(obj["apiVersion"], obj["kind"]), obj["kind"]


def test_names_and_short_names_are_unique() -> None:
    kinds = list(built_in_kinds())
    words = [word for kind in kinds for word in (kind.plural, kind.singular, *kind.short_names)]
    assert len(words) == len(set(words)) + sum(kind.plural == kind.singular for kind in kinds)


def test_two_appliers_share_a_deployment_by_the_names_of_its_containers() -> None:
    kind = built_in_kinds().by_resource("deployments.apps")
    assert kind is not None

    def deployment(*containers: dict[str, Any]) -> dict[str, Any]:
        spec = {"template": {"spec": {"containers": list(containers)}}}
        return {"apiVersion": "apps/v1", "kind": "Deployment", "metadata": {"name": "web"}, "spec": spec}

    web = {"name": "web", "image": "nginx:1.27", "ports": [{"containerPort": 80}]}
    live = applied(kind, None, deployment(web), manager="one", force=False)
    both = applied(kind, live, deployment({"name": "proxy", "image": "envoy:1"}), manager="two", force=False)
    names = [container["name"] for container in both["spec"]["template"]["spec"]["containers"]]
    assert names == ["web", "proxy"]
    again = applied(kind, both, deployment({"name": "web", "image": "nginx:1.28"}), manager="one", force=False)
    assert again["spec"]["template"]["spec"]["containers"][0] == {"name": "web", "image": "nginx:1.28"}


def test_a_definition_keeps_names_columns_and_status() -> None:
    definition = next(one for one in documents(_sample("custom-resource")) if "spec" in one and "group" in one["spec"])
    kind = kind_of_definition(definition)
    assert (kind.resource, kind.short_names, kind.has_status) == ("lamps.samples.threeport.io", ("lmp",), True)
    assert [column.name for column in kind.columns] == ["Colour", "Brightness"]
    assert {"apiVersion", "kind", "metadata", "spec"} <= kind.schema["properties"].keys()


def _sample(name: str) -> Path:
    return next(path for path in SAMPLES if path.parent.name == name)


def workload_of(**spec: Any) -> dict[str, Any]:
    """A Deployment with this in its spec."""
    template = {"metadata": {"labels": {"a": "b"}}, "spec": {"containers": [{"name": "c", "image": "i"}]}}
    known = {"selector": {"matchLabels": {"a": "b"}}, "template": template, **spec}
    return {"apiVersion": "apps/v1", "kind": "Deployment", "metadata": {"name": "d"}, "spec": known}


MISSPELT = [
    ("deployments.apps", workload_of(replica=3), "spec.replica"),
    (
        "deployments.apps",
        workload_of(template={"spec": {"containers": [{"name": "c", "imagePullPolice": "Always"}]}}),
        "spec.template.spec.containers[0].imagePullPolice",
    ),
    ("configmaps", {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "c"}, "dada": {}}, "dada"),
    ("services", {"apiVersion": "v1", "kind": "Service", "metadata": {"name": "s"}, "spec": {"port": 1}}, "spec.port"),
]


@pytest.mark.parametrize(("resource", "obj", "field"), MISSPELT)
def test_misspelt_fields_are_refused_warned_of_or_dropped_as_wished(
    resource: str, obj: dict[str, Any], field: str
) -> None:
    kind = built_in_kinds().by_resource(resource)
    assert kind is not None
    with pytest.raises(BadRequest, match=re.escape(f'unknown field "{field}"')):
        validate(kind, deepcopy(obj), "Strict")
    stored, warnings = validate(kind, deepcopy(obj), "Warn")
    assert warnings == [f'unknown field "{field}"']
    assert validate(kind, deepcopy(obj), "Ignore") == (stored, [])
    name = field.rsplit(".", 1)[-1]
    assert f"'{name}':" not in str(stored)


@pytest.mark.parametrize(
    ("spec", "field"),
    [({"replicas": "3"}, "spec.replicas"), ({"paused": 1}, "spec.paused"), ({"strategy": []}, "spec.strategy")],
)
def test_values_of_a_wrong_type_are_refused(spec: dict[str, Any], field: str) -> None:
    kind = built_in_kinds().by_resource("deployments.apps")
    assert kind is not None
    with pytest.raises(Invalid, match=re.escape(f"{field}: must be of type")):
        validate(kind, workload_of(**spec), "Ignore")


def test_numbers_texts_and_nulls_are_taken_where_the_real_kinds_take_them() -> None:
    kind = built_in_kinds().by_resource("deployments.apps")
    assert kind is not None
    limits = {"cpu": 1, "memory": "1Gi", "example.com/gpu": 0.5}
    container = {"name": "c", "image": "i", "resources": {"limits": limits}, "env": None, "livenessProbe": None}
    rolling = {"rollingUpdate": {"maxSurge": "25%", "maxUnavailable": 1}}
    obj = workload_of(
        template={"metadata": {"creationTimestamp": None}, "spec": {"containers": [container]}}, strategy=rolling
    )
    stored, warnings = validate(kind, obj, "Strict")
    assert warnings == []
    assert stored["spec"]["template"]["spec"]["containers"][0]["resources"]["limits"] == limits


@pytest.mark.parametrize("path", SAMPLES, ids=lambda path: path.parent.name)
def test_the_samples_have_no_field_that_a_real_cluster_does_not_know(path: Path) -> None:
    catalog = built_in_kinds()
    for obj in documents(path):
        kind = catalog.by_kind(obj["apiVersion"], obj["kind"])
        if kind is not None:
            obj.setdefault("metadata", {})
            assert validate(kind, obj, "Strict")[1] == []
