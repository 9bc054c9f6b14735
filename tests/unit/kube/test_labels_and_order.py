"""Labels reach pods wherever a kind keeps their template; what others need is applied first."""

from __future__ import annotations

import pytest

from threeport.common.types import JsonObject
from threeport.kube.labels import INSTANCE_LABEL, RUNTIME_LABEL, labelled, labels_of
from threeport.kube.ordering import in_order, in_reverse

LABELS = labels_of(definition="shop", instance="shop-eu", uid="u-1", runtime="eu")


def workload(kind: str, spec: JsonObject) -> JsonObject:
    return {"apiVersion": "apps/v1", "kind": kind, "metadata": {"name": "a"}, "spec": spec}


@pytest.mark.parametrize("kind", ["Deployment", "StatefulSet", "DaemonSet", "ReplicaSet", "Job"])
def test_pod_templates_are_labelled(kind: str) -> None:
    made = labelled(workload(kind, {"template": {"metadata": {"labels": {"app": "x"}}}}), LABELS)
    assert made["metadata"]["labels"] == LABELS
    assert made["spec"]["template"]["metadata"]["labels"] == {"app": "x", **LABELS}


def test_jobs_and_pods_of_a_cron_job_are_labelled() -> None:
    made = labelled(workload("CronJob", {"jobTemplate": {"spec": {"template": {"spec": {}}}}}), LABELS)
    job = made["spec"]["jobTemplate"]
    assert job["metadata"]["labels"][INSTANCE_LABEL] == "u-1"
    assert job["spec"]["template"]["metadata"]["labels"][INSTANCE_LABEL] == "u-1"


def test_labels_that_selectors_may_use_are_kept_but_never_the_owner_and_its_place() -> None:
    own = {"app.kubernetes.io/name": "mine", INSTANCE_LABEL: "somebody else", RUNTIME_LABEL: "elsewhere"}
    made = labelled({"apiVersion": "v1", "kind": "Service", "metadata": {"name": "a", "labels": own}}, LABELS)
    assert made["metadata"]["labels"]["app.kubernetes.io/name"] == "mine"
    assert made["metadata"]["labels"][INSTANCE_LABEL] == "u-1"
    assert made["metadata"]["labels"][RUNTIME_LABEL] == "eu"


def test_a_long_name_is_cut_to_a_label_value() -> None:
    assert (
        labels_of(definition="a" * 62 + ".b", instance="i", uid="u", runtime="eu")["app.kubernetes.io/name"] == "a" * 62
    )


def test_the_manifest_itself_is_left_as_it_is() -> None:
    manifest = workload("Deployment", {"template": {}})
    labelled(manifest, LABELS)
    assert manifest == workload("Deployment", {"template": {}})


def test_what_others_need_comes_first_and_webhooks_come_last() -> None:
    kinds = ["ValidatingWebhookConfiguration", "Widget", "Deployment", "Service", "Secret", "ServiceAccount",
             "CustomResourceDefinition", "Namespace", "PersistentVolumeClaim"]  # fmt: skip
    manifests = [{"kind": kind} for kind in kinds]
    assert [manifest["kind"] for manifest in in_order(manifests)] == [
        "Namespace", "CustomResourceDefinition", "ServiceAccount", "Secret", "PersistentVolumeClaim", "Service",
        "Deployment", "Widget", "ValidatingWebhookConfiguration",
    ]  # fmt: skip
    assert in_reverse(manifests) == in_order(manifests)[::-1]
