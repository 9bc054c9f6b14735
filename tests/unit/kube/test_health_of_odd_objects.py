"""What a user expects to be told of objects as clusters really have them: one line of plain words for each."""

# ruff: noqa: E501 - a table reads best with a line for each case

from __future__ import annotations

import json
from typing import Any

import pytest

from threeport.kube.health import assess

APPS, BATCH, SCALING = "apps/v1", "batch/v1", "autoscaling/v2"


def condition(kind: str, status: str, reason: str = "", message: str = "", **more: Any) -> dict[str, Any]:
    return {"type": kind, "status": status, "reason": reason, "message": message, **more}


def of_generation(seen: int, *, spec: Any = None, **status: Any) -> dict[str, Any]:
    return {"metadata": {"generation": seen}, "spec": spec or {}, "status": {"observedGeneration": seen, **status}}


def container(name: str = "web", **state: Any) -> dict[str, Any]:
    return {"name": name, "state": state, "lastState": {}}


def running(name: str = "web", at: str = "00:10") -> dict[str, Any]:
    return container(name, running={"startedAt": f"2026-01-01T00:{at}Z"})


def pod(
    phase: str, *containers: Any, init: Any = (), ready: str = "", at: str = "00:20", **more: Any
) -> dict[str, Any]:
    conditions = [condition("Ready", ready, lastTransitionTime=f"2026-01-01T00:{at}Z")] if ready else []
    status = {"phase": phase, "conditions": conditions, "containerStatuses": list(containers)}
    return {"metadata": {}, "spec": {}, "status": {**status, "initContainerStatuses": list(init), **more}}


def custom(*conditions: dict[str, Any], generation: int = 2, **status: Any) -> dict[str, Any]:
    return {"metadata": {"generation": generation}, "status": {"conditions": list(conditions), **status}}


def cron(**status: Any) -> dict[str, Any]:
    return {"metadata": {}, "spec": {"schedule": "@daily"}, "status": status}


DONE = container("setup", terminated={"exitCode": 0, "reason": "Completed"})
GONE = "2026-01-01T00:00:00Z"
FULL = {"replicas": 2, "updatedReplicas": 2, "availableReplicas": 2}
LOAD_BALANCER = {"spec": {"type": "LoadBalancer"}, "status": {"loadBalancer": {}}}
METRICS = condition("ScalingActive", "False", "FailedGetResourceMetric", "no metrics known for pod")
V1_CONDITIONS = "autoscaling.alpha.kubernetes.io/conditions"


def autoscaler_v1(*conditions: dict[str, Any], **status: Any) -> dict[str, Any]:
    annotations = {V1_CONDITIONS: json.dumps(conditions)} if conditions else {}
    return {"metadata": {"annotations": annotations}, "status": {"currentReplicas": 1, "desiredReplicas": 1, **status}}


BUILT_IN = {
    "a paused Deployment says that it is": (
        APPS, "Deployment", of_generation(1, spec={"replicas": 2, "paused": True}, **{**FULL, "updatedReplicas": 0}),
        "Progressing", "the rollout is paused",
    ),
    "a Deployment of no replicas is as wanted": (APPS, "Deployment", of_generation(1, spec={"replicas": 0}), "Healthy", ""),
    "a rollout with a surge is under way while old pods are left": (
        APPS, "Deployment", of_generation(1, spec={"replicas": 2}, **{**FULL, "replicas": 3, "availableReplicas": 3}),
        "Progressing", "former version",
    ),
    "a rollout that has run out of time while the old version serves is Degraded": (
        APPS, "Deployment",
        of_generation(
            1, spec={"replicas": 2}, replicas=3, updatedReplicas=1, availableReplicas=2,
            conditions=[condition("Progressing", "False", "ProgressDeadlineExceeded", "has timed out")],
        ),
        "Degraded", "ProgressDeadlineExceeded: has timed out",
    ),
    "a Deployment whose change nobody has seen is under way": (
        APPS, "Deployment", {"metadata": {"generation": 2}, "spec": {"replicas": 2}, "status": {"observedGeneration": 1, **FULL}},
        "Progressing", "has not seen the change",
    ),
    "a StatefulSet that updates on delete is as wanted": (
        APPS, "StatefulSet",
        of_generation(
            1, spec={"replicas": 1, "updateStrategy": {"type": "OnDelete"}},
            readyReplicas=1, currentRevision="a", updateRevision="b",
        ),
        "Healthy", "",
    ),
    "a StatefulSet waits until its pods have been ready for as long as it says": (
        APPS, "StatefulSet",
        of_generation(
            1, spec={"replicas": 2, "minReadySeconds": 30},
            readyReplicas=2, availableReplicas=0, currentRevision="a", updateRevision="a",
        ),
        "Progressing", "0 of 2",
    ),
    "a DaemonSet for which there is no node is as wanted": (
        APPS, "DaemonSet", of_generation(1, desiredNumberScheduled=0), "Healthy", "",
    ),
    "a Job that is suspended is as wanted": (BATCH, "Job", {"spec": {"suspend": True}}, "Healthy", "suspended"),
    "a Job without a number of completions counts them, and knows itself when it is done": (
        BATCH, "Job", {"spec": {"parallelism": 3}, "status": {"succeeded": 1}}, "Progressing", "1 runs have completed",
    ),
    "a Job that fails at an index is at it until all others have ended": (
        BATCH, "Job", {"spec": {"completions": 5}, "status": {"succeeded": 2, "failed": 1, "failedIndexes": "1"}},
        "Progressing", "2 of 5 runs have completed, 1 attempts failed",
    ),
    "a Job whose policy for failures ended it says so": (
        BATCH, "Job", {"status": {"conditions": [
            condition("FailureTarget", "True", "PodFailurePolicy"),
            condition("Failed", "True", "PodFailurePolicy", "Container main failed with exit code 42"),
        ]}},
        "Down", "PodFailurePolicy: Container main failed with exit code 42",
    ),
    "a Job whose policy for success was met has completed": (
        BATCH, "Job", {"spec": {"completions": 5}, "status": {"succeeded": 1, "conditions": [
            condition("SuccessCriteriaMet", "True", "SuccessPolicy"), condition("Complete", "True", "SuccessPolicy"),
        ]}},
        "Healthy", "completed",
    ),
    "a Job that has given up is Down": (
        BATCH, "Job", {"status": {"conditions": [condition("Failed", "True", "BackoffLimitExceeded", "limit")]}},
        "Down", "BackoffLimitExceeded: limit",
    ),
    "a CronJob that is suspended is as wanted, whatever its last run did": (
        BATCH, "CronJob", {**cron(lastScheduleTime="2026-01-01T00:00:00Z"), "spec": {"suspend": True}}, "Healthy", "suspended",
    ),
    "a CronJob that never ran is as wanted": (BATCH, "CronJob", cron(), "Healthy", ""),
    "a CronJob whose last run failed is Degraded": (
        BATCH, "CronJob", cron(lastScheduleTime="2026-01-02T00:00:00Z", lastSuccessfulTime="2026-01-01T00:00:05Z"),
        "Degraded", "the run of 2026-01-02T00:00:00Z has not succeeded",
    ),
    "a CronJob whose runs all failed is Degraded": (
        BATCH, "CronJob", cron(lastScheduleTime="2026-01-02T00:00:00Z"), "Degraded", "has not succeeded",
    ),
    "a CronJob that is at it is well": (
        BATCH, "CronJob", cron(lastScheduleTime="2026-01-02T00:00:00Z", active=[{"name": "job"}]), "Healthy", "",
    ),
    "a CronJob whose last run succeeded is well": (
        BATCH, "CronJob", cron(lastScheduleTime="2026-01-02T00:00:00Z", lastSuccessfulTime="2026-01-02T00:00:05Z"),
        "Healthy", "",
    ),
    "a claim that is lost is Down": ("v1", "PersistentVolumeClaim", {"status": {"phase": "Lost"}}, "Down", "gone"),
    "a claim that waits is under way": ("v1", "PersistentVolumeClaim", {"status": {"phase": "Pending"}}, "Progressing", ""),
    "a claim whose volume is being enlarged is under way": (
        "v1", "PersistentVolumeClaim", {"status": {"phase": "Bound", "conditions": [condition("Resizing", "True")]}},
        "Progressing", "Resizing",
    ),
    "a claim whose file system grows when its pod starts anew says so": (
        "v1", "PersistentVolumeClaim",
        {"status": {"phase": "Bound", "conditions": [
            condition("FileSystemResizePending", "True", message="Waiting for user to (re-)start a pod"),
        ]}},
        "Progressing", "FileSystemResizePending: Waiting for user to (re-)start a pod",
    ),
    "a claim that cannot be enlarged is Degraded": (
        "v1", "PersistentVolumeClaim",
        {"status": {"phase": "Bound", "conditions": [
            condition("Resizing", "True"), condition("ControllerResizeError", "True", message="quota of the cloud"),
        ]}},
        "Degraded", "ControllerResizeError: quota of the cloud",
    ),
    "a claim that was enlarged is as wanted": (
        "v1", "PersistentVolumeClaim", {"status": {"phase": "Bound", "conditions": [condition("Resizing", "False")]}},
        "Healthy", "",
    ),
    "a load balancer without an address is under way": ("v1", "Service", LOAD_BALANCER, "Progressing", "no address"),
    "an Ingress without an address is under way": ("networking.k8s.io/v1", "Ingress", {}, "Progressing", "no ingress controller"),
    "an autoscaler that reads no metrics is Degraded": (
        SCALING, "HorizontalPodAutoscaler", {"status": {"conditions": [METRICS]}}, "Degraded", "FailedGetResourceMetric: no",
    ),
    "an autoscaler of the old version is judged by its annotation": (
        "autoscaling/v1", "HorizontalPodAutoscaler", autoscaler_v1(condition("AbleToScale", "True")), "Healthy", "",
    ),
    "an autoscaler of the old version that reads no metrics is Degraded": (
        "autoscaling/v1", "HorizontalPodAutoscaler", autoscaler_v1(METRICS), "Degraded", "FailedGetResourceMetric",
    ),
    "an autoscaler with an annotation that is no JSON is not looked at yet": (
        "autoscaling/v1", "HorizontalPodAutoscaler", {"metadata": {"annotations": {V1_CONDITIONS: "{"}}}, "Progressing", "",
    ),
    "a budget whose pods are still starting raises no alarm: the pods tell": (
        "policy/v1", "PodDisruptionBudget", of_generation(1, currentHealthy=0, desiredHealthy=1, expectedPods=2),
        "Progressing", "0 of 1 pods",
    ),
    "a budget for a Deployment of no replicas is as wanted": (
        "policy/v1", "PodDisruptionBudget", of_generation(1, currentHealthy=0, desiredHealthy=1, expectedPods=0), "Healthy", "",
    ),
    "a budget that cannot be computed is Degraded": (
        "policy/v1", "PodDisruptionBudget",
        of_generation(1, conditions=[condition("DisruptionAllowed", "False", "SyncFailed", "does not implement scale")]),
        "Degraded", "SyncFailed: does not implement scale",
    ),
    "an APIService without a server is Down": (
        "apiregistration.k8s.io/v1", "APIService",
        {"status": {"conditions": [condition("Available", "False", "MissingEndpoints", "no endpoints")]}},
        "Down", "MissingEndpoints: no endpoints",
    ),
    "a kind that is not served yet is under way": (
        "apiextensions.k8s.io/v1", "CustomResourceDefinition",
        {"status": {"conditions": [condition("NamesAccepted", "True"), condition("Established", "False", "Installing")]}},
        "Progressing", "not established",
    ),
    "a kind whose names are taken is Down": (
        "apiextensions.k8s.io/v1", "CustomResourceDefinition",
        {"status": {"conditions": [condition("NamesAccepted", "False", "PluralConflict", '"lamps" is already in use')]}},
        "Down", "PluralConflict",
    ),
    "what is being deleted names the finalizers that it waits for": (
        "v1", "ConfigMap", {"metadata": {"deletionTimestamp": GONE, "finalizers": ["example.com/guard"]}},
        "Progressing", "is being deleted since 2026-01-01T00:00:00Z, and waits for finalizer example.com/guard",
    ),
    "a namespace that does not go says what is left in it": (
        "v1", "Namespace",
        {
            "metadata": {"deletionTimestamp": GONE},
            "status": {"phase": "Terminating", "conditions": [
                condition("NamespaceDeletionDiscoveryFailure", "False", "ResourcesDiscovered"),
                condition("NamespaceFinalizersRemaining", "True", "SomeFinalizersRemain", "example.com/guard in 1 instance"),
            ]},
        },
        "Progressing", "example.com/guard in 1 instance",
    ),
}  # fmt: skip

PODS = {
    "an init container that crashes keeps the pod Down": (
        pod("Pending", container(waiting={"reason": "PodInitializing"}),
            init=[container("setup", waiting={"reason": "CrashLoopBackOff", "message": "back-off 5m0s"})]),
        "Down", "CrashLoopBackOff: back-off 5m0s",
    ),
    "a missing secret keeps the pod Down, and is named": (
        pod("Pending", container(waiting={"reason": "CreateContainerConfigError", "message": 'secret "db" not found'})),
        "Down", 'CreateContainerConfigError: secret "db" not found',
    ),
    "readiness that was lost after ordinary init containers is Degraded": (
        pod("Running", running(), init=[DONE], ready="False", at="05:00"), "Degraded", "no longer ready",
    ),
    "readiness that was not reached yet is under way": (
        pod("Running", running(), init=[DONE], ready="False", at="00:05"), "Progressing", "not ready yet",
    ),
    "a sidecar that runs counts as a container that has started": (
        pod("Running", running(), init=[DONE, running("proxy", at="00:08")], ready="False", at="05:00"), "Degraded", "",
    ),
    "a sidecar that crashes while the others run is Down, with its reason": (
        pod("Running", running(), init=[container("proxy", waiting={"reason": "CrashLoopBackOff"})], ready="False"),
        "Down", "CrashLoopBackOff",
    ),
    "a container that was killed for its memory and runs again is well": (
        pod("Running", {**running(), "lastState": {"terminated": {"exitCode": 137, "reason": "OOMKilled"}}}, ready="True"),
        "Healthy", "",
    ),
    "a pod that was evicted is Down, with the reason": (
        pod("Failed", reason="Evicted", message="The node was low on resource: memory."), "Down", "Evicted: The node was low",
    ),
    "a pod that a scheduling gate holds says so": (
        pod("Pending", conditions=[condition("PodScheduled", "False", "SchedulingGated", "Scheduling is blocked")]),
        "Progressing", "SchedulingGated: Scheduling is blocked",
    ),
    "a pod that waits for a readiness gate says so": (
        pod("Running", running(), conditions=[condition("Ready", "False", "ReadinessGatesNotReady", 'gate "lb" is not "True"')]),
        "Progressing", 'gate "lb"',
    ),
    "a pod that no node has room for is Degraded": (
        pod("Pending", conditions=[condition("PodScheduled", "False", "Unschedulable", "0/3 nodes are available")]),
        "Degraded", "Unschedulable: 0/3 nodes",
    ),
    "a pod that is terminating is on its way out": (
        {"metadata": {"deletionTimestamp": GONE}, "status": pod("Running", running())["status"]},
        "Progressing", "is being deleted since",
    ),
    "a pod that a lost node does not let go is in trouble": (
        {
            "metadata": {"deletionTimestamp": GONE},
            "status": {"phase": "Running", "conditions": [
                condition("Ready", "False"),
                condition("DisruptionTarget", "True", "DeletionByTaintManager", "Taint manager: deleting due to NoExecute taint"),
            ]},
        },
        "Degraded", "is being deleted since 2026-01-01T00:00:00Z: Taint manager",
    ),
}  # fmt: skip

GATEWAY = "gateway.networking.k8s.io/v1"


def route(*conditions: dict[str, Any], gateway: str = "public") -> dict[str, Any]:
    parents = [{"parentRef": {"name": gateway}, "conditions": list(conditions)}]
    return {"metadata": {"generation": 2}, "status": {"parents": parents}}


ACCEPTED = condition("Accepted", "True", "Accepted", observedGeneration=2)
GATEWAYS = {
    "a route that its gateway has taken is as wanted": (
        "HTTPRoute", route(ACCEPTED, condition("ResolvedRefs", "True", observedGeneration=2)), "Healthy", "",
    ),
    "a route that no gateway has taken up is under way": ("HTTPRoute", {"metadata": {"generation": 1}}, "Progressing", "no gateway"),
    "a route that its gateway refuses is Degraded": (
        "HTTPRoute", route(condition("Accepted", "False", "NotAllowedByListeners", "not from this namespace", observedGeneration=2)),
        "Degraded", "public: NotAllowedByListeners: not from this namespace",
    ),
    "a route to a service that is not there is Degraded": (
        "GRPCRoute", route(ACCEPTED, condition("ResolvedRefs", "False", "BackendNotFound", "service web", observedGeneration=2)),
        "Degraded", "public: BackendNotFound: service web",
    ),
    "a route whose gateway has not seen the change is under way": (
        "HTTPRoute", route(condition("Accepted", "True", observedGeneration=1)), "Progressing", "has not seen the change",
    ),
    "a route that only a gateway of before has not seen is as wanted": (
        "HTTPRoute",
        {"metadata": {"generation": 2}, "status": {"parents": [
            {"parentRef": {"name": "gone"}, "conditions": [condition("Accepted", "False", "x", observedGeneration=1)]},
            {"parentRef": {"name": "public"}, "conditions": [ACCEPTED]},
        ]}},
        "Healthy", "",
    ),
    "a gateway is as well as its listeners": (
        "Gateway",
        {"metadata": {"generation": 2}, "status": {
            "conditions": [ACCEPTED, condition("Programmed", "True", observedGeneration=2)],
            "listeners": [{"name": "https", "conditions": [
                condition("ResolvedRefs", "False", "InvalidCertificateRef", "no secret tls", observedGeneration=2),
            ]}],
        }},
        "Degraded", "https: InvalidCertificateRef: no secret tls",
    ),
    "a gateway that waits for its controller is under way": (
        "Gateway",
        {"metadata": {"generation": 1}, "status": {"conditions": [
            condition("Accepted", "Unknown", "Pending", "Waiting for controller"),
            condition("Programmed", "Unknown", "Pending", "Waiting for controller"),
        ]}},
        "Progressing", "Pending: Waiting for controller",
    ),
    "two listeners that are in each other's way": (
        "Gateway",
        {"metadata": {"generation": 1}, "status": {"listeners": [
            {"name": "b", "conditions": [condition("Conflicted", "True", "HostnameConflict", "as a")]},
        ]}},
        "Degraded", "b: HostnameConflict: as a",
    ),
}  # fmt: skip

CUSTOM = {
    "Flux: a reconciliation that failed": (
        custom(condition("Ready", "False", "InstallFailed", "Helm install failed")), "Degraded", "InstallFailed: Helm install",
    ),
    "Flux: one that is under way": (custom(condition("Ready", "Unknown", "Progressing")), "Progressing", "Progressing"),
    "kstatus: Reconciling rules over a Ready of before": (
        custom(condition("Ready", "True"), condition("Reconciling", "True", "NewGeneration")), "Progressing", "NewGeneration",
    ),
    "kstatus: Stalled rules over all": (
        custom(condition("Ready", "True"), condition("Stalled", "True", "BadSpec")), "Degraded", "BadSpec",
    ),
    "Ready of an older generation says nothing of this one": (
        custom(condition("Ready", "True", observedGeneration=1)), "Progressing", "has not seen the change",
    ),
    "Ready of this generation": (custom(condition("Ready", "True", observedGeneration=2)), "Healthy", ""),
    "a controller that counts no generations in conditions": (
        custom(condition("Ready", "True", observedGeneration=0)), "Healthy", "",
    ),
    "cert-manager: a certificate that is being issued": (
        custom(condition("Ready", "False", "DoesNotExist", "Issuing certificate"), condition("Issuing", "True")),
        "Progressing", "DoesNotExist: Issuing certificate",
    ),
    "cert-manager: one whose issuance failed": (
        custom(condition("Ready", "False", "DoesNotExist"), condition("Issuing", "False", "Failed", "rate limited")),
        "Degraded", "Failed: rate limited",
    ),
    "cert-manager: an issuer that cannot register": (
        custom(condition("Ready", "False", "ErrRegisterACMEAccount", "no such host")), "Degraded", "ErrRegisterACMEAccount",
    ),
    "Crossplane: made and in step": (
        custom(condition("Ready", "True", "Available"), condition("Synced", "True", "ReconcileSuccess")), "Healthy", "",
    ),
    "Crossplane: being made": (
        custom(condition("Ready", "False", "Creating"), condition("Synced", "True", "ReconcileSuccess")),
        "Progressing", "Creating",
    ),
    "Crossplane: refused by the cloud though it was ready once": (
        custom(condition("Ready", "True"), condition("Synced", "False", "ReconcileError", "AccessDenied")),
        "Degraded", "ReconcileError: AccessDenied",
    ),
    "Crossplane: paused by its owner": (
        custom(condition("Ready", "True"), condition("Synced", "False", "ReconcilePaused")), "Healthy", "",
    ),
    "external-secrets: a secret that cannot be read": (
        custom(condition("Ready", "False", "SecretSyncedError", "could not get secret data")), "Degraded", "SecretSyncedError",
    ),
    "Cluster API: under way": (
        custom(condition("Ready", "False", "WaitingForInfrastructure", severity="Info")), "Progressing", "WaitingForInfra",
    ),
    "Cluster API: an error": (
        custom(condition("Ready", "False", "MachineCreation", "quota", severity="Error")), "Degraded", "MachineCreation: quota",
    ),
    "Cluster API: given up": (
        custom(condition("Ready", "False", "x", severity="Info"), phase="Failed", failureMessage="no quota"),
        "Down", "Failed: no quota",
    ),
    "Tekton: a run that goes on": (custom(condition("Succeeded", "Unknown", "Running", "1 of 2")), "Progressing", "Running"),
    "Tekton: a run that failed": (custom(condition("Succeeded", "False", "TaskRunTimeout", "5m")), "Down", "TaskRunTimeout: 5m"),
    "OpenShift: available, and improving": (
        custom(condition("Available", "True"), condition("Progressing", "True", "x"), condition("Degraded", "False")),
        "Healthy", "",
    ),
    "OpenShift: available in part": (
        custom(condition("Available", "True"), condition("Degraded", "True", "NodeDown", "one of three")),
        "Degraded", "NodeDown: one of three",
    ),
    "Gateway API: a Gateway that is accepted and not programmed yet": (
        custom(condition("Accepted", "True"), condition("Programmed", "False", "Pending", "waits for an address")),
        "Progressing", "Pending: waits for an address",
    ),
    "Gateway API: a Gateway that is refused": (
        custom(condition("Accepted", "False", "InvalidParameters", "no such class"), condition("Programmed", "False", "Invalid")),
        "Degraded", "InvalidParameters: no such class",
    ),
    "a package whose revision is not healthy": (
        custom(condition("Installed", "True"), condition("Healthy", "False", "UnhealthyPackageRevision", "x")),
        "Degraded", "UnhealthyPackageRevision",
    ),
    "a phase beside conditions that tell nothing of it": (
        custom(condition("Bound", "True"), phase="Provisioning"), "Progressing", "Provisioning",
    ),
    "conditions of one type twice": (
        custom(condition("Ready", "False", "Waiting"), condition("Ready", "True")), "Healthy", "",
    ),
    "a generation that is written as text": (custom(observedGeneration="2"), "Healthy", ""),
    "nothing said at all": ({"metadata": {"generation": 1}}, "Healthy", ""),
}  # fmt: skip


@pytest.mark.parametrize(("api_version", "kind", "obj", "health", "message"), BUILT_IN.values(), ids=BUILT_IN)
def test_built_in(api_version: str, kind: str, obj: dict[str, Any], health: str, message: str) -> None:
    verdict = assess(api_version, kind, obj)
    assert verdict.health == health, verdict.message
    assert message in verdict.message


@pytest.mark.parametrize(("obj", "health", "message"), PODS.values(), ids=PODS)
def test_pods(obj: dict[str, Any], health: str, message: str) -> None:
    verdict = assess("v1", "Pod", obj)
    assert verdict.health == health, verdict.message
    assert message in verdict.message


@pytest.mark.parametrize(("kind", "obj", "health", "message"), GATEWAYS.values(), ids=GATEWAYS)
def test_gateways_and_routes(kind: str, obj: dict[str, Any], health: str, message: str) -> None:
    verdict = assess(GATEWAY, kind, obj)
    assert verdict.health == health, verdict.message
    assert message in verdict.message


@pytest.mark.parametrize(("obj", "health", "message"), CUSTOM.values(), ids=CUSTOM)
def test_custom_resources(obj: dict[str, Any], health: str, message: str) -> None:
    verdict = assess("example.com/v1", "Thing", obj)
    assert verdict.health == health, verdict.message
    assert message in verdict.message
