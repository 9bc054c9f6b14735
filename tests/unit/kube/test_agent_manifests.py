"""The agent gets the right to look, not at secrets, and to do nothing else."""

from __future__ import annotations

from threeport.common.types import JsonObject
from threeport.kube.agent_deployment import AgentPod, ApiAccess, access_secret, deployment_manifests, deployment_name
from threeport.kube.agent_manifests import account_manifests, read_group_manifests
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


ACCESS = ApiAccess(url="https://a", ca="c", token="t0k3n")


def deployed(pod: AgentPod | None = None) -> list[JsonObject]:
    return deployment_manifests("threeport-agent-r-1", "r", ACCESS, pod or AgentPod(image="i"))


def container(pod: AgentPod | None = None) -> JsonObject:
    found: JsonObject = deployed(pod)[1]["spec"]["template"]["spec"]["containers"][0]
    return found


def test_everything_is_a_proper_manifest() -> None:
    assert len(split_manifests([*account_manifests(), access_secret("n", ACCESS), *deployed()])) == 8


def test_the_agents_pod_is_locked_down() -> None:
    pod = deployed()[1]["spec"]["template"]["spec"]
    assert pod["securityContext"]["runAsNonRoot"]
    assert container()["securityContext"]["readOnlyRootFilesystem"]
    assert container()["securityContext"]["capabilities"] == {"drop": ["ALL"]}
    assert account_manifests()[0]["metadata"]["labels"]["pod-security.kubernetes.io/enforce"] == "restricted"


def test_the_token_is_in_the_secret_only() -> None:
    assert "t0k3n" in str(access_secret("n", ACCESS))
    assert "t0k3n" not in str(deployed())


def test_resources_and_port_can_be_chosen_and_the_policy_follows() -> None:
    limits = {"limits": {"memory": "1Gi"}}
    chosen = AgentPod(image="i", resources=limits, metrics_port=9999)
    assert container(chosen)["resources"] == limits
    assert container(chosen)["ports"][0]["containerPort"] == 9999
    assert {"name": "THREEPORT_METRICS_PORT", "value": "9999"} in container(chosen)["env"]
    assert deployed(chosen)[0]["spec"]["ingress"] == [{"ports": [{"protocol": "TCP", "port": 9999}]}]
    assert container()["resources"]["limits"] == {"memory": "256Mi"}


def test_another_ca_starts_the_pod_anew_and_another_token_does_not() -> None:
    def template(ca: str, token: str) -> JsonObject:
        access = ApiAccess(url="https://a", ca=ca, token=token)
        made: JsonObject = deployment_manifests("n", "r", access, AgentPod(image="i"))[1]["spec"]["template"]
        return made

    assert template("one", "t") == template("one", "u")
    assert template("one", "t") != template("two", "t")


def test_each_runtime_of_a_cluster_has_an_agent_of_its_own() -> None:
    names = {deployment_name("a", "1"), deployment_name("a", "2"), deployment_name("b.c", "1")}
    assert len(names) == 3
    assert all("." not in name for name in names)


def test_the_kind_of_the_agent_is_structural() -> None:
    schema = crd_manifest()["spec"]["versions"][0]["schema"]["openAPIV3Schema"]
    assert schema["properties"]["spec"]["properties"]["resources"]["x-kubernetes-list-type"] == "atomic"
