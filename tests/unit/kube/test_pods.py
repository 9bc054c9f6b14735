"""How pods do, and which of them are meant."""

from __future__ import annotations

from typing import Any

from threeport.kube.health import assess
from threeport.kube.pods import Pod, selected


def pod(name: str = "web-1", *, labels: dict[str, str] | None = None, **status: Any) -> Pod:
    """A pod with one container, `main`, which declares port 80 as `http`."""
    ports = [{"name": "http", "containerPort": 80}, {"name": "dns", "containerPort": 53, "protocol": "UDP"}]
    return Pod(
        {
            "metadata": {"name": name, "namespace": "shop", "uid": name, "labels": labels or {}},
            "spec": {"initContainers": [{"name": "init"}], "containers": [{"name": "main", "ports": ports}]},
            "status": status,
        }
    )


READY = {"type": "Ready", "status": "True"}


def waiting(reason: str, message: str = "", **more: Any) -> list[dict[str, Any]]:
    """The status of a container that waits."""
    return [{"name": "main", "state": {"waiting": {"reason": reason, "message": message}}, **more}]


def test_the_health_of_a_pod_is_what_the_agent_says_of_it() -> None:
    crashing = pod(phase="Running", containerStatuses=waiting("CrashLoopBackOff", "back-off 10s"))
    assert crashing.health() == ("Down", "CrashLoopBackOff: back-off 10s")
    assert crashing.health() == assess("v1", "Pod", crashing.obj)
    assert (crashing.summary()["health"], crashing.summary()["message"]) == crashing.health()
    assert pod(phase="Running", conditions=[READY]).health() == ("Healthy", "")


def test_a_pod_that_is_being_deleted_does_not_serve_any_more() -> None:
    going = pod(phase="Running", conditions=[READY])
    assert going.is_ready
    leaving = Pod({**going.obj, "metadata": {**going.obj["metadata"], "deletionTimestamp": "2026-01-01T00:00:00Z"}})
    assert not leaving.is_ready
    assert leaving.health() == ("Progressing", "is being deleted since 2026-01-01T00:00:00Z")


def test_a_cron_job_means_the_pods_of_its_jobs_and_objects_mean_none_of_other_namespaces() -> None:
    def owned(name: str, job: str) -> Pod:
        made = pod(name, labels={"app": "a"})
        owners = [{"kind": "Job", "name": job, "controller": True}]
        return Pod({**made.obj, "metadata": {**made.obj["metadata"], "ownerReferences": owners}})

    pods = [owned("a", "nightly-29012345"), owned("b", "nightly"), owned("c", "other-29012345")]
    metadata = {"name": "nightly", "namespace": "shop"}
    assert [one.name for one in selected(pods, {"kind": "CronJob", "metadata": metadata})] == ["a"]
    service = {"kind": "Service", "spec": {"selector": {"app": "a"}}}
    assert len(selected(pods, {**service, "metadata": metadata})) == 3
    assert selected(pods, {**service, "metadata": {**metadata, "namespace": "elsewhere"}}) == []


def test_a_container_has_a_log_once_it_has_run() -> None:
    running = pod(containerStatuses=[{"name": "main", "state": {"running": {}, "waiting": None}}])
    assert [one.started for one in running.containers()] == [False, False]
    states = [{"name": "main", "state": {"running": {"startedAt": "x"}}, "restartCount": 0}]
    assert [one.started for one in pod(containerStatuses=states).containers()] == [False, True]
    crashed = pod(containerStatuses=waiting("CrashLoopBackOff", restartCount=1))
    assert crashed.containers()[1].started


def test_ports_are_found_by_number_and_name_and_udp_is_none() -> None:
    assert pod().listens_on(80)
    assert not pod().listens_on(53)
    assert not pod().listens_on(81)
    assert (pod().port_called("http"), pod().port_called("x")) == (80, None)


def test_objects_select_pods_as_in_kubernetes() -> None:
    pods = [pod("a", labels={"app": "a", "tier": "x"}), pod("b", labels={"app": "b"})]

    def names(owner: dict[str, Any]) -> list[str]:
        return [one.name for one in selected(pods, owner)]

    assert names({"kind": "Service", "spec": {"selector": {"app": "a"}}}) == ["a"]
    assert names({"kind": "Service", "spec": {}}) == []
    assert names({"kind": "ConfigMap"}) == []
    assert names({"kind": "Deployment", "spec": {"selector": {"matchLabels": {"app": "b"}}}}) == ["b"]
    for operator, values, expected in (
        ("In", ["a", "c"], ["a"]),
        ("NotIn", ["a"], ["b"]),
        ("Exists", [], ["a", "b"]),
        ("DoesNotExist", [], []),
    ):
        expression = {"key": "app", "operator": operator, "values": values}
        assert names({"kind": "Job", "spec": {"selector": {"matchExpressions": [expression]}}}) == expected
