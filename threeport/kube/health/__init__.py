"""Health of Kubernetes objects, as pure functions: an object in, a `Verdict` out. One module per family of kinds."""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

from threeport.common.types import FrozenJson
from threeport.kube.health.batch import assess_cron_job, assess_job
from threeport.kube.health.conditions import assess_by_conditions
from threeport.kube.health.deletion import assess_deletion, assess_namespace
from threeport.kube.health.extensions import assess_api_service, assess_definition
from threeport.kube.health.fields import part
from threeport.kube.health.gateway import GROUP, OTHERS, ROUTES, assess_by_parts, assess_route
from threeport.kube.health.network import assess_ingress, assess_service
from threeport.kube.health.pod import assess_pod
from threeport.kube.health.policy import assess_autoscaler, assess_disruption_budget
from threeport.kube.health.replicas import (
    assess_daemon_set,
    assess_deployment,
    assess_replica_set,
    assess_stateful_set,
)
from threeport.kube.health.storage import assess_volume, assess_volume_claim
from threeport.kube.health.verdict import Verdict

Assessment = Callable[[FrozenJson], Verdict]

ASSESSMENTS: Final[dict[tuple[str, str], Assessment]] = {
    ("", "Namespace"): assess_namespace,
    ("", "Pod"): assess_pod,
    ("", "Service"): assess_service,
    ("", "PersistentVolumeClaim"): assess_volume_claim,
    ("", "PersistentVolume"): assess_volume,
    ("", "ReplicationController"): assess_replica_set,
    ("apps", "Deployment"): assess_deployment,
    ("apps", "StatefulSet"): assess_stateful_set,
    ("apps", "DaemonSet"): assess_daemon_set,
    ("apps", "ReplicaSet"): assess_replica_set,
    ("batch", "Job"): assess_job,
    ("batch", "CronJob"): assess_cron_job,
    ("networking.k8s.io", "Ingress"): assess_ingress,
    ("autoscaling", "HorizontalPodAutoscaler"): assess_autoscaler,
    ("policy", "PodDisruptionBudget"): assess_disruption_budget,
    ("apiextensions.k8s.io", "CustomResourceDefinition"): assess_definition,
    ("apiregistration.k8s.io", "APIService"): assess_api_service,
    **{(GROUP, kind): assess_route for kind in ROUTES},
    **{(GROUP, kind): assess_by_parts for kind in OTHERS},
}


def assess(api_version: str, kind: str, obj: FrozenJson) -> Verdict:
    """The health of an object; kinds without a function of their own are judged by their conditions."""
    if part(obj, "metadata").get("deletionTimestamp"):
        return assess_deletion(obj)
    group = api_version.rpartition("/")[0]
    return ASSESSMENTS.get((group, kind), assess_by_conditions)(obj)
