"""Answers of clusters are sorted by what to do about them."""

from __future__ import annotations

import orjson
import pytest
from kubernetes.aio.client.exceptions import ApiException

from threeport.kube import errors


def answer(code: int, message: str, **details: object) -> ApiException:
    error = ApiException(status=code, reason="x")
    error.body = orjson.dumps({"kind": "Status", "message": message, "details": details}).decode()
    return error


@pytest.mark.parametrize(
    ("code", "message", "kind"),
    [
        (401, "Unauthorized", errors.AccessDenied),
        (403, "cannot patch resource", errors.AccessDenied),
        (403, 'pods "x" is forbidden: exceeded quota: q', errors.QuotaExceeded),
        (403, 'violates PodSecurity "restricted"', errors.DeniedByPolicy),
        (404, 'namespaces "x" not found', errors.NamespaceMissing),
        (409, "conflict", errors.Changed),
        (422, "spec.selector: Invalid value: field is immutable", errors.FieldImmutable),
        (422, 'spec.type: Unsupported value: "x"', errors.Rejected),
        (400, "strict decoding error", errors.Rejected),
        (429, "too many requests", errors.ClusterBusy),
        (500, "failed calling webhook", errors.ClusterFailed),
        (500, "failed to create typed patch object (a/b; /v1, Kind=C): .dataa: field not declared", errors.Rejected),
        (503, "the server is currently unable to handle the request", errors.ClusterFailed),
        (504, "request did not complete", errors.ClusterUnreachable),
    ],
)
def test_an_answer_becomes_the_error_that_says_what_to_do(code: int, message: str, kind: type[Exception]) -> None:
    found = errors.from_answer(answer(code, message), "ConfigMap a/b")
    assert type(found) is kind
    assert found.temporary is not issubclass(kind, errors.Rejected)


@pytest.mark.parametrize(
    ("said", "seconds"), [({}, 1.0), ({"retryAfterSeconds": 3}, 3.0), ({"retryAfterSeconds": 999}, 30.0)]
)
def test_a_cluster_that_asks_to_come_back_is_there_and_says_when(said: dict[str, int], seconds: float) -> None:
    found = errors.from_answer(answer(429, "storage is (re)initializing", **said), "Widget a/b")
    assert (found.reason, found.retry_after) == ("ClusterBusy", seconds)
    assert str(found) == (f"Widget a/b: the cluster asks to try again in {seconds:.0f} s: storage is (re)initializing")


def test_a_namespace_on_its_way_out_is_waited_for() -> None:
    found = errors.from_answer(answer(403, "being terminated", causes=[{"reason": "NamespaceTerminating"}]), "Pod a/b")
    assert isinstance(found, errors.NamespaceMissing)


STATEFUL_SET = (
    "Forbidden: updates to statefulset spec for fields other than 'replicas', 'ordinals', 'template', "
    "'updateStrategy' and 'minReadySeconds' are forbidden"
)


@pytest.mark.parametrize(
    ("field", "message"),
    [
        ("spec.template", "Invalid value: {}: field is immutable"),
        ("spec.clusterIPs[0]", 'Invalid value: ["10.0.0.2"]: may not change once set'),
        ("spec", STATEFUL_SET),
        ("spec", "Forbidden: spec is immutable after creation except resources.requests for bound claims"),
        ("data", "Forbidden: field is immutable when `immutable` is set"),
        ("spec.containers", "Forbidden: pod updates may not add or remove containers"),
        ("roleRef", "Invalid value: {}: cannot change roleRef"),
        ("provisioner", "Forbidden: updates to provisioner are forbidden."),
        ("spec", "Forbidden: pod updates may not change fields other than `spec.containers[*].image`"),
    ],
)
def test_a_field_that_cannot_change_is_named(field: str, message: str) -> None:
    found = errors.from_answer(answer(422, "x", causes=[{"field": field, "message": message}]), "Job a/b")
    assert isinstance(found, errors.FieldImmutable)
    assert found.fields == (field,)


def test_an_object_that_is_wrong_besides_is_not_taken_for_one_that_only_cannot_change() -> None:
    causes = [
        {"field": "spec.template", "message": "field is immutable"},
        {"field": "spec.backoffLimit", "message": "must be greater than or equal to 0"},
    ]
    found = errors.from_answer(answer(422, "x", causes=causes), "Job a/b")
    assert type(found) is errors.Rejected


def test_values_that_a_cluster_repeats_are_left_out_as_nobody_reads_them_and_they_may_be_secret() -> None:
    value = '{"containers":[{"env":[{"name":"PASSWORD","value":"canary"}]}]}'
    message = (
        f'Job "pi" is invalid: [spec.template: Invalid value: {value}: field is immutable, spec.b: Required value]'
    )
    found = str(errors.from_answer(answer(422, message), "Job a/pi"))
    assert "canary" not in found
    assert "spec.template: Invalid value: field is immutable, spec.b: Required value" in found


@pytest.mark.parametrize(
    ("message", "told"),
    [
        ("create typed patch object (a/x; /v1, Kind=Secret): .data: expected map, got &{x): y}", ".data: expected map"),
        ("convert new object (a/x; /v1, Kind=Secret) to proper version: illegal base64", "illegal base64"),
    ],
)
def test_a_manifest_that_is_malformed_is_not_tried_again(message: str, told: str) -> None:
    found = errors.from_answer(answer(500, f"failed to {message}"), "Secret a/x")
    assert type(found) is errors.Rejected
    assert str(found) == f"Secret a/x is not accepted: {told}"


def test_an_answer_without_a_status_is_told_all_the_same() -> None:
    error = ApiException(status=502, reason="Bad Gateway")
    error.body = "<html>"
    assert "502" in str(errors.from_answer(error, "Pod a/b"))
