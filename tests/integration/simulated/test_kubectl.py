"""kubectl against a simulated cluster: what a person does in the first five minutes."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
import yaml

from tests.fixtures.simulated import SimulatedCluster, SimulatedProcess

SAMPLES = Path(__file__).parents[3] / "samples"

DEPLOYMENT = """
apiVersion: apps/v1
kind: Deployment
metadata: {name: web, namespace: default}
spec:
  replicas: 2
  selector: {matchLabels: {app: web}}
  template:
    metadata: {labels: {app: web}}
    spec:
      containers:
        - {name: web, image: "nginx:1.27", ports: [{containerPort: 80}]}
"""


def test_it_says_that_it_is_simulated(simulated_cluster: SimulatedCluster) -> None:
    assert "simulated" in simulated_cluster.kubectl("version")
    assert [node["metadata"]["name"] for node in simulated_cluster.get("nodes")["items"]] == ["simulated"]


def test_a_deployment_becomes_available_and_its_pods_can_be_described(simulated_cluster: SimulatedCluster) -> None:
    simulated_cluster.kubectl("apply", "-f", "-", given=DEPLOYMENT)
    simulated_cluster.kubectl("rollout", "status", "deployment/web", "--timeout=20s")
    pods = simulated_cluster.get("pods", "-l", "app=web")["items"]
    assert [pod["status"]["phase"] for pod in pods] == ["Running", "Running"]
    described = simulated_cluster.kubectl("describe", "pods")
    assert "Successfully assigned" in described


def test_a_new_image_replaces_the_pods_and_scaling_changes_their_number(simulated_cluster: SimulatedCluster) -> None:
    simulated_cluster.kubectl("apply", "-f", "-", given=DEPLOYMENT)
    simulated_cluster.kubectl("rollout", "status", "deployment/web", "--timeout=20s")
    simulated_cluster.kubectl("set", "image", "deployment/web", "web=nginx:1.28")
    simulated_cluster.kubectl("rollout", "status", "deployment/web", "--timeout=20s")
    images = {pod["spec"]["containers"][0]["image"] for pod in simulated_cluster.get("pods", "-l", "app=web")["items"]}
    assert images == {"nginx:1.28"}
    simulated_cluster.kubectl("scale", "deployment/web", "--replicas=3", "--current-replicas=2")
    simulated_cluster.wait(lambda: len(simulated_cluster.get("pods", "-l", "app=web")["items"]) == 3)
    simulated_cluster.kubectl("scale", "deployment/web", "--replicas=0")
    simulated_cluster.wait(lambda: simulated_cluster.get("pods", "-l", "app=web")["items"] == [])


def test_an_image_that_cannot_exist_gives_image_pull_back_off_with_an_event(
    simulated_cluster: SimulatedCluster,
) -> None:
    simulated_cluster.kubectl("apply", "-f", "-", given=DEPLOYMENT.replace("nginx:1.27", "registry.invalid/web:1"))
    simulated_cluster.wait(lambda: "ImagePullBackOff" in simulated_cluster.kubectl("get", "pods"))
    events = simulated_cluster.get("events")["items"]
    assert any(event["reason"] == "ImagePullBackOff" and event["type"] == "Warning" for event in events)


def test_deleting_a_deployment_takes_its_replica_sets_and_pods_along(simulated_cluster: SimulatedCluster) -> None:
    simulated_cluster.kubectl("apply", "-f", "-", given=DEPLOYMENT)
    simulated_cluster.kubectl("rollout", "status", "deployment/web", "--timeout=20s")
    simulated_cluster.kubectl("delete", "deployment", "web", "--cascade=foreground", "--timeout=20s")
    assert simulated_cluster.get("replicasets,pods")["items"] == []


def test_orphaning_keeps_what_the_owner_owned(simulated_cluster: SimulatedCluster) -> None:
    simulated_cluster.kubectl("apply", "-f", "-", given=DEPLOYMENT)
    simulated_cluster.kubectl("rollout", "status", "deployment/web", "--timeout=20s")
    simulated_cluster.kubectl("delete", "deployment", "web", "--cascade=orphan", "--timeout=20s")
    sets = simulated_cluster.get("replicasets")["items"]
    assert len(sets) == 1
    assert not sets[0]["metadata"].get("ownerReferences")


def test_a_namespace_has_a_default_account_and_takes_its_content_along(simulated_cluster: SimulatedCluster) -> None:
    simulated_cluster.kubectl("create", "namespace", "shop")
    simulated_cluster.wait(lambda: simulated_cluster.get("serviceaccount", "default", "-n", "shop"))
    simulated_cluster.kubectl("apply", "-f", "-", given=DEPLOYMENT.replace("default", "shop"))
    simulated_cluster.kubectl("delete", "namespace", "shop", "--timeout=30s")
    assert simulated_cluster.get("pods", "-A")["items"] == []


def test_a_claim_is_bound_and_its_volume_goes_with_it(simulated_cluster: SimulatedCluster) -> None:
    claim = {
        "apiVersion": "v1",
        "kind": "PersistentVolumeClaim",
        "metadata": {"name": "data"},
        "spec": {"accessModes": ["ReadWriteOnce"], "resources": {"requests": {"storage": "1Gi"}}},
    }
    simulated_cluster.kubectl("apply", "-f", "-", given=json.dumps(claim))
    simulated_cluster.kubectl("wait", "pvc/data", "--for=jsonpath={.status.phase}=Bound", "--timeout=10s")
    assert len(simulated_cluster.get("pv")["items"]) == 1
    simulated_cluster.kubectl("delete", "pvc", "data", "--timeout=10s")
    simulated_cluster.wait(lambda: simulated_cluster.get("pv")["items"] == [])


def test_a_kind_that_is_defined_can_be_used_and_takes_its_objects_along(simulated_cluster: SimulatedCluster) -> None:
    lamp, definition = yaml.safe_load_all((SAMPLES / "custom-resource/manifests.yaml").read_text())
    simulated_cluster.kubectl("apply", "-f", "-", given=json.dumps(definition))
    name = definition["metadata"]["name"]
    simulated_cluster.kubectl("wait", f"crd/{name}", "--for=condition=Established", "--timeout=10s")
    simulated_cluster.kubectl("apply", "-f", "-", given=json.dumps(lamp))
    assert "warm" in simulated_cluster.kubectl("get", "lamps")
    bad = {**lamp, "spec": {"colour": "purple"}}
    assert "colour" in simulated_cluster.kubectl("apply", "-f", "-", given=json.dumps(bad), check=False)
    simulated_cluster.kubectl("delete", "crd", name, "--timeout=10s")
    simulated_cluster.wait(lambda: "lamps" not in simulated_cluster.kubectl("api-resources", "--cached=false"))
    simulated_cluster.kubectl("apply", "-f", "-", given=json.dumps(definition))
    simulated_cluster.kubectl("wait", f"crd/{name}", "--for=condition=Established", "--timeout=10s")
    simulated_cluster.wait(lambda: simulated_cluster.get("lamps") is not None)
    assert simulated_cluster.get("lamps")["items"] == []


@pytest.mark.parametrize("sample", ["wordpress", "job", "pod-two-instances"])
def test_the_manifests_of_the_samples_run(simulated_cluster: SimulatedCluster, sample: str) -> None:
    simulated_cluster.kubectl("apply", "--server-side", "-f", str(SAMPLES / sample / "manifests.yaml"))
    waits = {
        "wordpress": ("deployment", "--all", "--for=condition=Available"),
        "job": ("job/pi", "--for=condition=Complete"),
        "pod-two-instances": ("pod/echo", "--for=condition=Ready"),
    }
    simulated_cluster.kubectl("wait", *waits[sample], "--timeout=20s")


def test_a_second_server_side_apply_changes_nothing(simulated_cluster: SimulatedCluster) -> None:
    manifests = str(SAMPLES / "wordpress/manifests.yaml")
    simulated_cluster.kubectl("apply", "--server-side", "-f", manifests)
    simulated_cluster.kubectl("wait", "deployment", "--all", "--for=condition=Available", "--timeout=20s")
    before = _revisions(simulated_cluster)
    simulated_cluster.kubectl("apply", "--server-side", "-f", manifests)
    assert _revisions(simulated_cluster) == before


def test_a_stateful_set_makes_its_pods_in_order_with_a_volume_each(simulated_cluster: SimulatedCluster) -> None:
    stateful = yaml.safe_load(DEPLOYMENT)
    stateful["kind"] = "StatefulSet"
    stateful["spec"]["volumeClaimTemplates"] = [
        {"metadata": {"name": "data"}, "spec": {"resources": {"requests": {"storage": "1Gi"}}}}
    ]
    simulated_cluster.kubectl("apply", "-f", "-", given=json.dumps(stateful))
    simulated_cluster.kubectl("rollout", "status", "statefulset/web", "--timeout=20s")
    assert [pod["metadata"]["name"] for pod in simulated_cluster.get("pods")["items"]] == ["web-0", "web-1"]
    assert len(simulated_cluster.get("pvc")["items"]) == 2


def test_a_command_that_fails_gives_crash_loop_back_off(simulated_cluster: SimulatedCluster) -> None:
    simulated_cluster.kubectl("run", "broken", "--image=busybox", "--", "sh", "-c", "exit 3")
    simulated_cluster.wait(lambda: "CrashLoopBackOff" in simulated_cluster.kubectl("get", "pods"))


def test_the_clusters_are_there_again_after_kill_9(
    simulated_process: SimulatedProcess, simulated_cluster: SimulatedCluster
) -> None:
    simulated_cluster.kubectl("apply", "-f", "-", given=DEPLOYMENT)
    simulated_process.kill()
    simulated_process.start()
    simulated_cluster.kubectl("rollout", "status", "deployment/web", "--timeout=20s")


def _revisions(cluster: SimulatedCluster) -> dict[str, str]:
    kinds = "secrets,pvc,services,deployments,replicasets,pods"
    return {
        f"{item['kind']}/{item['metadata']['name']}": item["metadata"]["resourceVersion"]
        for item in cluster.get(kinds)["items"]
    }


def test_misspelt_fields_are_refused_unless_the_caller_wants_it_otherwise(simulated_cluster: SimulatedCluster) -> None:
    misspelt = DEPLOYMENT.replace("replicas: 2", "replica: 2").replace("name: web, namespace", "name: typo, namespace")
    refused = simulated_cluster.kubectl("apply", "-f", "-", given=misspelt, check=False)
    assert 'unknown field "spec.replica"' in refused
    applied = simulated_cluster.kubectl("apply", "--server-side", "-f", "-", given=misspelt, check=False)
    assert 'unknown field "spec.replica"' in applied
    simulated_cluster.kubectl("apply", "--validate=warn", "-f", "-", given=misspelt)
    assert simulated_cluster.get("deployment", "typo")["spec"]["replicas"] == 1
