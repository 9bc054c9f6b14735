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
        (403, 'violates PodSecurity "restricted"', errors.Rejected),
        (404, 'namespaces "x" not found', errors.NamespaceMissing),
        (409, "conflict", errors.Changed),
        (422, "spec.selector: Invalid value: field is immutable", errors.Rejected),
        (400, "strict decoding error", errors.Rejected),
        (429, "too many requests", errors.ClusterUnreachable),
        (500, "failed calling webhook", errors.ClusterFailed),
        (500, "failed to create typed patch object (a/b; /v1, Kind=C): .dataa: field not declared", errors.Rejected),
        (503, "unavailable", errors.ClusterUnreachable),
    ],
)
def test_an_answer_becomes_the_error_that_says_what_to_do(code: int, message: str, kind: type[Exception]) -> None:
    found = errors.from_answer(answer(code, message), "ConfigMap a/b")
    assert type(found) is kind
    assert found.temporary is (kind is not errors.Rejected)


def test_a_namespace_on_its_way_out_is_waited_for() -> None:
    found = errors.from_answer(answer(403, "being terminated", causes=[{"reason": "NamespaceTerminating"}]), "Pod a/b")
    assert isinstance(found, errors.NamespaceMissing)


def test_an_immutable_field_comes_with_advice() -> None:
    found = errors.from_answer(answer(422, "spec.selector: Invalid value: field is immutable"), "Deployment a/b")
    assert "take the object out of the definition" in str(found)


def test_values_that_a_cluster_repeats_are_left_out_as_nobody_reads_them_and_they_may_be_secret() -> None:
    value = '{"containers":[{"env":[{"name":"PASSWORD","value":"canary"}]}]}'
    message = (
        f'Job "pi" is invalid: [spec.template: Invalid value: {value}: field is immutable, spec.b: Required value]'
    )
    found = str(errors.from_answer(answer(422, message), "Job a/pi"))
    assert "canary" not in found
    assert "spec.template: Invalid value: field is immutable, spec.b: Required value" in found


def test_an_answer_without_a_status_is_told_all_the_same() -> None:
    error = ApiException(status=502, reason="Bad Gateway")
    error.body = "<html>"
    assert "502" in str(errors.from_answer(error, "Pod a/b"))
