"""What a person did wrong, or what is not there yet, through `tptctl`: a sentence to act on, at the place to look."""

from __future__ import annotations

import json

import yaml

from tests.e2e.conftest import Tptctl
from tests.fixtures.control_plane import WholeControlPlane
from tests.fixtures.manifests import config_map
from threeport.common.types import JsonObject

CONFIG = config_map("settings", "red")


def document(kind: str, name: str, spec: JsonObject) -> str:
    return yaml.safe_dump(
        {"apiVersion": "threeport.io/v1alpha1", "kind": kind, "metadata": {"name": name}, "spec": spec}
    )


def ready(tptctl: Tptctl, kind: str, name: str) -> JsonObject:
    found = json.loads(tptctl.ok("get", kind, name, "-o", "json"))
    return next(one for one in found["status"]["conditions"] if one["type"] == "Ready")


def test_a_reference_to_no_runtime_is_warned_of_said_and_healed(whole: WholeControlPlane) -> None:
    tptctl = whole.tptctl
    spec = {"manifests": [CONFIG], "runtimeRef": {"name": "later"}}
    answer = tptctl("apply", "-f", "-", stdin=document("Workload", "early", spec))
    assert answer.code == 0
    assert "Warning" in answer.err
    assert "later" in answer.err
    tptctl.ok("wait", "workload/early", "--for", "condition=Ready=False", "--timeout", "30s")
    said = ready(tptctl, "workloadinstance", "early")
    assert said["reason"] == "ReferenceNotFound"
    assert "KubernetesRuntimeInstance later does not exist" in said["message"]
    assert "later" in tptctl.ok("describe", "workload", "early")
    waited = tptctl("wait", "workload/early", "--timeout", "2s")
    assert waited.code == 4
    assert "later" in waited.err
    runtime = document("KubernetesRuntimeInstance", "later", {"definitionRef": {"name": "simulated"}})
    tptctl.ok("apply", "-f", "-", stdin=runtime)
    tptctl.ok("wait", "workload/early", "--timeout", "60s")
    refused = tptctl("delete", "kubernetesruntimeinstance", "later")
    assert refused.code != 0
    assert "early" in refused.err
    tptctl.ok("delete", "workload", "early")
    tptctl.ok("delete", "kubernetesruntimeinstance", "later")


def test_a_name_that_is_taken_is_said_with_what_to_do(whole: WholeControlPlane) -> None:
    tptctl = whole.tptctl
    tptctl.ok("apply", "-f", "-", stdin=document("WorkloadDefinition", "taken", {"manifests": [CONFIG]}))
    tptctl.ok("apply", "-f", "-", stdin=document("Workload", "taken", {"manifests": [CONFIG]}))
    waited = tptctl("wait", "workload/taken", "--timeout", "5s")
    assert waited.code == 4
    assert "was not made by this workload" in waited.err
    assert ready(tptctl, "workload", "taken")["reason"] == "NameTaken"
    tptctl.ok("delete", "workload", "taken")
    assert tptctl("get", "workloaddefinition", "taken").code == 0, "what is somebody else's stays"
    tptctl.ok("delete", "workloaddefinition", "taken")


def test_two_megabytes_are_refused_with_what_is_allowed_and_leave_nothing(whole: WholeControlPlane) -> None:
    big = {**CONFIG, "data": {"much": "x" * 2_000_000}}
    answer = whole.tptctl("apply", "-f", "-", stdin=document("Workload", "big", {"manifests": [big]}))
    assert answer.code == 1
    assert "workload/big" in answer.err
    assert "1500000" in answer.err
    assert "split" in answer.err
    assert len(answer.err) < 2000, "the error does not show the object"
    assert whole.tptctl("get", "workload", "big").code == 3
