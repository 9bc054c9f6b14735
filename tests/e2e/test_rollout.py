"""Following a change of an application, seeing what it was before, and going back."""

from __future__ import annotations

import yaml

from tests.e2e.conftest import Place
from tests.e2e.test_main_path import CONFIG_MAP, workload
from tests.fixtures.manifests import DEPLOYMENT
from threeport.kube.cluster import Cluster


def test_a_change_is_followed_and_undone(place: Place) -> None:
    shared = place.tptctl
    for value in ("red", "blue"):
        shared.ok("apply", "-f", "-", stdin=workload("roll", CONFIG_MAP % ("a", value)))
        said = shared.ok("rollout", "status", "workload/roll", "--timeout", "60s")
        assert "runs revision" in said
        assert "ready" in said
    assert "runs revision 2 of 2" in said
    lines = shared.ok("rollout", "history", "workload", "roll").splitlines()
    assert [line.split()[0] for line in lines] == ["REVISION", "1", "2"]
    assert "roll" in lines[2]
    assert lines[1].endswith("holds ConfigMap/a")
    assert lines[2].endswith("key of ConfigMap/a: red → blue")
    full = shared.ok("rollout", "history", "workload/roll", "--revision", "2")
    assert "data.key: red → blue" in full
    assert "kind: ConfigMap" in full
    assert "went back to revision 1" in shared.ok("rollout", "undo", "workload/roll")
    assert "runs revision 3 of 3" in shared.ok("rollout", "status", "workload/roll", "--timeout", "60s")
    manifests = shared.object("workload", "roll")["spec"]["manifests"]  # type: ignore[index]
    assert manifests[0]["data"] == {"key": "red"}
    assert "unchanged" in shared.ok("rollout", "undo", "workload/roll", "--to-revision", "1")
    assert shared("rollout", "undo", "workload/roll", "--to-revision", "9").code == 3
    refused = shared("rollout", "undo", "workloadinstance/roll")
    assert refused.code == 1
    assert "workload/roll" in refused.err
    assert shared("rollout", "status", "namespace/default").code == 2
    shared.ok("delete", "workload", "roll")


async def test_pods_follow_a_change_of_their_image_and_the_way_back(place: Place) -> None:
    tptctl = place.tptctl
    for image in ("nginx:1.25", "nginx:1.27"):
        tptctl.ok("apply", "-f", "-", stdin=workload("pods", with_image(image)))
        assert "ready" in tptctl.ok("rollout", "status", "workload/pods", "--timeout", "60s")
        assert await image_in_cluster(place) == image
    tptctl.ok("rollout", "undo", "workload/pods")
    assert "runs revision 3 of 3" in tptctl.ok("rollout", "status", "workload/pods", "--timeout", "60s")
    assert await image_in_cluster(place) == "nginx:1.25"
    stuck = with_image("registry.invalid/none:1")
    tptctl.ok("apply", "-f", "-", "--force-conflicts", stdin=workload("pods", stuck))
    waited = tptctl("rollout", "status", "workload/pods", "--timeout", "3s")
    assert waited.code == 4
    tptctl.ok("rollout", "undo", "workload/pods")
    tptctl.ok("rollout", "status", "workload/pods", "--timeout", "60s")
    assert await image_in_cluster(place) == "nginx:1.25"
    tptctl.ok("delete", "workload", "pods")


def test_where_a_person_decides_each_instance_goes_forth_and_back_alone(place: Place) -> None:
    tptctl = place.tptctl
    tptctl.ok("apply", "-f", "-", stdin="---\n".join([definition("red"), instance("one"), instance("two")]))
    tptctl.ok("wait", "workloadinstance", "one", "two", "--timeout", "60s")
    tptctl.ok("apply", "-f", "-", stdin=definition("blue"))
    said = tptctl.ok("rollout", "status", "workloaddefinition/by-hand", "--timeout", "60s")
    assert said.count("runs revision 1 of 2, ready") == 2
    assert tptctl("rollout", "advance", "workloaddefinition/by-hand").code == 2
    assert tptctl("rollout", "advance", "workloadinstance/one", "--to-revision", "9").code == 3
    assert "revision 2" in tptctl.ok("rollout", "advance", "workloadinstance/one")
    assert "unchanged" in tptctl.ok("rollout", "advance", "workloadinstance/one", "--to-revision", "2")
    assert "runs revision 2 of 2" in tptctl.ok("rollout", "status", "workloadinstance/one", "--timeout", "60s")
    users = {line.split()[0]: line.split()[2] for line in tptctl.ok("rollout", "history", "wd/by-hand").splitlines()}
    assert (users["1"], users["2"]) == ("two", "one")
    tptctl.ok("rollout", "undo", "workloadinstance/one")
    assert "runs revision 1 of 2" in tptctl.ok("rollout", "status", "workloadinstance/one", "--timeout", "60s")
    tptctl.ok("delete", "workloadinstance/one", "workloadinstance/two", "workloaddefinition/by-hand")


def test_a_refusal_that_only_a_person_can_mend_ends_a_rollout_at_once(place: Place) -> None:
    tptctl, own = place.tptctl, CONFIG_MAP % ("a", "red")
    taken = "{apiVersion: v1, kind: ConfigMap, metadata: {name: taken, namespace: default}}"
    tptctl.ok("apply", "-f", "-", stdin=f"{workload('first', taken)}---\n{workload('second', own)}")
    tptctl.ok("wait", "workload", "first", "second", "--timeout", "60s")
    tptctl.ok("apply", "-f", "-", stdin=workload("second", own, taken))
    refused = tptctl("rollout", "status", "workload/second", "--timeout", "150s")
    assert refused.code == 1
    assert "NotOurs: ConfigMap default/taken" in refused.err
    assert "tptctl rollout undo workload/second" in refused.err
    tptctl.ok("rollout", "undo", "workload/second")
    tptctl.ok("rollout", "status", "workload/second", "--timeout", "60s")
    tptctl.ok("delete", "workload", "first", "second")


def test_why_something_was_changed_stands_in_the_history_and_goes_back_with_it(place: Place) -> None:
    tptctl = place.tptctl
    for value in ("red", "blue"):
        manifest = workload("why", CONFIG_MAP % ("a", value)).replace(
            "name: why", f"name: why\n  annotations: {{kubernetes.io/change-cause: to be {value}}}", 1
        )
        tptctl.ok("apply", "-f", "-", stdin=manifest)
        tptctl.ok("rollout", "status", "workload/why", "--timeout", "60s")
    tptctl.ok("rollout", "undo", "workload/why")
    tptctl.ok("rollout", "status", "workload/why", "--timeout", "60s")
    lines = tptctl.ok("rollout", "history", "workload/why").splitlines()
    assert ["to be red" in lines[1], "to be blue" in lines[2], "to be red" in lines[3]] == [True] * 3
    tptctl.ok("delete", "workload", "why")


def with_image(image: str) -> str:
    container = {"name": "web", "image": image}
    template = {**DEPLOYMENT["spec"]["template"], "spec": {"containers": [container]}}
    return yaml.safe_dump({**DEPLOYMENT, "spec": {**DEPLOYMENT["spec"], "template": template}})


async def image_in_cluster(place: Place) -> str:
    status = place.tptctl.object("workloadinstance", "pods")["status"]
    cluster = Cluster(place.access)
    try:
        found = await cluster.get("apps/v1", "Deployment", "web", status["namespace"])  # type: ignore[index]
    finally:
        await cluster.close()
    assert found is not None
    return str(found["spec"]["template"]["spec"]["containers"][0]["image"])


def definition(colour: str) -> str:
    return f"""\
apiVersion: threeport.io/v1alpha1
kind: WorkloadDefinition
metadata: {{name: by-hand}}
spec:
  rollout: {{strategy: Manual}}
  manifests:
  - {{apiVersion: v1, kind: ConfigMap, metadata: {{name: a}}, data: {{key: {colour}}}}}
"""


def instance(name: str) -> str:
    return f"""\
apiVersion: threeport.io/v1alpha1
kind: WorkloadInstance
metadata: {{name: {name}}}
spec: {{definitionRef: {{name: by-hand}}}}
"""
