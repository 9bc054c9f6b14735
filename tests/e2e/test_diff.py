"""Seeing beforehand what a change would do, in the API and in the cluster."""

from __future__ import annotations

import json
import os
import signal
from typing import Any

from tests.e2e.conftest import Eventually, Tptctl
from tests.e2e.test_main_path import CONFIG_MAP, workload
from threeport.common.types import JsonObject

SECRET = """\
apiVersion: v1
kind: Secret
metadata: {name: key}
stringData: {password: %s}
"""


def differences(tptctl: Tptctl, document: str) -> tuple[int, dict[str, Any]]:
    """The exit code, and what `diff -o json` tells."""
    answer = tptctl("diff", "-f", "-", "-o", "json", stdin=document)
    return answer.code, json.loads(answer.out)


def test_a_change_is_shown_and_not_made(shared: Tptctl) -> None:
    before = workload("seen", CONFIG_MAP % ("a", "red"))
    code, found = differences(shared, before)
    assert code == 1
    assert found["objects"][0]["action"] == "Create"
    assert [one["action"] for one in found["instances"][0]["resources"]] == ["Create", "Create"]
    assert shared("get", "workload", "seen").code == 3
    shared.ok("apply", "-f", "-", stdin=before)
    shared.ok("wait", "workload", "seen")
    assert shared("diff", "-f", "-", stdin=before).code == 0
    assert shared("diff", "workload/seen").code == 0
    after = workload("seen", CONFIG_MAP % ("a", "blue") + "---\n" + CONFIG_MAP % ("b", "x"))
    answer = shared("diff", "-f", "-", stdin=after)
    assert answer.code == 1
    assert "data.key: red → blue" in answer.out
    assert "+ ConfigMap b" in answer.out
    assert "\x1b" not in answer.out
    code, found = differences(shared, workload("seen", CONFIG_MAP % ("b", "x")))
    actions = {one["name"]: one["action"] for one in found["instances"][0]["resources"]}
    assert code == 1
    assert actions["a"] == "Prune"
    assert actions["b"] == "Create"
    assert shared.ok("get", "workloadpreviews", "-A", "-o", "name") == ""
    assert shared.object("workload", "seen")["spec"]["manifests"][0]["data"] == {"key": "red"}  # type: ignore[index]
    shared.ok("delete", "workload", "seen")


def test_an_object_that_was_read_and_edited_keeps_its_secrets_in_the_comparison(shared: Tptctl) -> None:
    shared.ok("apply", "-f", "-", stdin=workload("kept", SECRET % "canary-1"))
    shared.ok("wait", "workload", "kept")
    read = shared.ok("get", "workload", "kept", "-o", "yaml")
    assert "canary" not in read
    assert shared("diff", "-f", "-", stdin=read).code == 0
    answer = shared("diff", "-f", "-", "-o", "json", stdin=workload("kept", SECRET % "canary-2"))
    assert answer.code == 1
    assert "canary" not in answer.out
    (change,) = [one for one in json.loads(answer.out)["instances"][0]["resources"] if one["kind"] == "Secret"]
    assert change["changes"][0]["path"] == "data.password"
    shared.ok("delete", "workload", "kept")


def test_a_changed_definition_is_compared_with_every_instance_that_it_reaches(shared: Tptctl) -> None:
    definition = """\
apiVersion: threeport.io/v1alpha1
kind: WorkloadDefinition
metadata: {name: many}
spec:
  rollout: {strategy: %s}
  manifests:
  - {apiVersion: v1, kind: ConfigMap, metadata: {name: a}, data: {key: %s}}
"""
    instance = """\
apiVersion: threeport.io/v1alpha1
kind: WorkloadInstance
metadata: {name: %s}
spec: {definitionRef: {name: many}}
"""
    parts = [definition % ("Automatic", "red"), instance % "many-a", instance % "many-b"]
    shared.ok("apply", "-f", "-", stdin="---\n".join(parts))
    shared.ok("wait", "workloadinstance", "many-a", "many-b")
    code, found = differences(shared, definition % ("Automatic", "blue"))
    assert code == 1
    assert {one["name"] for one in found["instances"]} == {"many-a", "many-b"}
    for one in found["instances"]:
        (change,) = [change for part in one["resources"] for change in part.get("changes", ())]
        assert change == {"path": "data.key", "old": "red", "new": "blue"}
    _, found = differences(shared, definition % ("Manual", "blue"))
    assert all("stays at revision 1" in one["note"] for one in found["instances"])
    shared.ok("delete", "workloaddefinition/many", "workloadinstance/many-a", "workloadinstance/many-b")


def test_what_a_cluster_would_refuse_is_told_and_is_an_error(shared: Tptctl) -> None:
    unknown = "apiVersion: example.com/v1\nkind: Gadget\nmetadata: {name: g}\n"
    answer = shared("diff", "-f", "-", stdin=workload("odd", unknown))
    assert answer.code == 2
    assert "no kind Gadget" in answer.out
    assert shared("diff", "workload/nobody").code == 3
    refused = shared("diff", "runtime/local")
    assert refused.code == 2
    assert "diff -f FILE" in refused.err
    assert shared("diff", "-f", "-", stdin="kind: x\n").code == 2


def test_a_workload_without_an_instance_of_its_own_is_not_compared_with_the_one_that_has_its_name(
    shared: Tptctl, eventually: Eventually
) -> None:
    alone = """\
apiVersion: threeport.io/v1alpha1
kind: WorkloadDefinition
metadata: {name: theirs}
spec:
  manifests: [{apiVersion: v1, kind: ConfigMap, metadata: {name: a}}]
---
apiVersion: threeport.io/v1alpha1
kind: WorkloadInstance
metadata: {name: theirs}
spec: {definitionRef: {name: theirs}}
"""
    shared.ok("apply", "-f", "-", stdin=alone)
    shared.ok("wait", "workloadinstance/theirs", "--timeout", "60s")
    shared.ok("apply", "-f", "-", stdin=workload("theirs", CONFIG_MAP % ("a", "x")))
    eventually(lambda: "NameTaken" in shared.ok("get", "workload", "theirs"))
    answer = shared("diff", "workload/theirs")
    assert (answer.code, "NameTaken" in answer.err) == (3, True)
    shared.ok("delete", "workload/theirs", "workloadinstance/theirs", "workloaddefinition/theirs")


def test_a_workload_in_a_namespace_that_is_yet_to_be_made_is_compared_too(shared: Tptctl) -> None:
    document = workload("first", CONFIG_MAP % ("a", "x")).replace("name: first", "name: first\n  namespace: fresh")
    namespace = "apiVersion: v1\nkind: Namespace\nmetadata: {name: fresh}\n"
    code, found = differences(shared, f"{namespace}---\n{document}")
    assert code == 1
    assert [one["name"] for one in found["objects"]] == ["fresh", "first"]
    (instance,) = found["instances"]
    assert [one["name"] for one in instance["resources"]] == ["first-<suffix>", "a"]
    assert not any("error" in one for one in instance["resources"])
    assert shared("get", "namespace", "fresh").code == 3


def test_of_two_comparisons_at_once_one_is_interrupted_and_the_other_is_answered(
    shared: Tptctl, eventually: Eventually
) -> None:
    shared.ok("apply", "-f", "-", stdin=workload("two", CONFIG_MAP % ("a", "x")))
    shared.ok("wait", "workload/two", "--timeout", "60s")
    controller = shared.pid("controller-workload")
    os.kill(controller, signal.SIGSTOP)
    try:
        running = [shared.start("diff", "workload/two") for _ in range(2)]
        eventually(lambda: len(previews(shared)) == 2)
        running[0].send_signal(signal.SIGINT)
        _, err = running[0].communicate(timeout=60)
        assert (running[0].returncode, "Traceback" in err) == (130, False)
        assert sum("deletionTimestamp" in one["metadata"] for one in previews(shared)) <= 1
    finally:
        os.kill(controller, signal.SIGCONT)
    _, err = running[1].communicate(timeout=100)
    assert (running[1].returncode, "No differences." in err) == (0, True)
    eventually(lambda: not previews(shared))
    shared.ok("delete", "workload/two")


def previews(shared: Tptctl) -> list[JsonObject]:
    found: list[JsonObject] = json.loads(shared.ok("get", "workloadpreviews", "-o", "json"))["items"]
    return found
