"""The agent gets the right to look, not at secrets, and to do nothing else."""

from __future__ import annotations

from threeport.kube.agent_manifests import account_manifests, deployment_manifests, read_group_manifests
from threeport.kube.threeport_workload import crd_manifest
from threeport.resources.manifests import split_manifests


def rules() -> list[dict[str, list[str]]]:
    return [rule for manifest in account_manifests() for rule in manifest.get("rules", ())]


def test_the_account_can_only_read() -> None:
    assert {verb for rule in rules() for verb in rule["verbs"]} == {"get", "list", "watch"}


def test_the_account_cannot_read_secrets() -> None:
    core = [resource for rule in rules() if "" in rule["apiGroups"] for resource in rule["resources"]]
    assert "secrets" not in core
    assert "*" not in core
    assert all("*" not in rule["apiGroups"] for rule in rules())


def test_a_group_that_an_application_brings_can_be_read_and_others_need_no_new_right() -> None:
    made = read_group_manifests(["apps", "", "example.com"])
    assert [manifest["kind"] for manifest in made] == ["ClusterRole", "ClusterRoleBinding"]
    assert made[0]["rules"] == [{"apiGroups": ["example.com"], "resources": ["*"], "verbs": ["get", "list", "watch"]}]


def test_everything_is_a_proper_manifest() -> None:
    deployment = deployment_manifests(image="i", runtime="r", api_url="https://a", ca="c", token="t")
    assert len(split_manifests([*account_manifests(), *deployment])) == 7


def test_the_agents_pod_is_locked_down() -> None:
    pod = deployment_manifests(image="i", runtime="r", api_url="u", ca="c", token="t")[1]["spec"]["template"]["spec"]
    assert pod["securityContext"]["runAsNonRoot"]
    assert pod["containers"][0]["securityContext"]["readOnlyRootFilesystem"]
    assert pod["containers"][0]["securityContext"]["capabilities"] == {"drop": ["ALL"]}


def test_the_kind_of_the_agent_is_structural() -> None:
    schema = crd_manifest()["spec"]["versions"][0]["schema"]["openAPIV3Schema"]
    assert schema["properties"]["spec"]["properties"]["resources"]["x-kubernetes-list-type"] == "atomic"
