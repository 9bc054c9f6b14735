"""What a user can do wrong, and what the answer is: a sentence to act on, an exit code, and nothing half done."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.e2e.conftest import Tptctl
from tests.e2e.test_main_path import CONFIG_MAP, workload

INSTANCE = """\
apiVersion: threeport.io/v1alpha1
kind: WorkloadInstance
metadata: {name: early}
spec: {definitionRef: {name: late}}
"""
DEFINITION = """\
apiVersion: threeport.io/v1alpha1
kind: WorkloadDefinition
metadata: {name: late}
spec:
  manifests:
  - {apiVersion: v1, kind: ConfigMap, metadata: {name: a}}
"""


@pytest.mark.parametrize(
    ("document", "words"),
    [
        ("a: [", ["stdin", "line 2"]),
        (workload("x", "kind: [oops\n"), ["workload/x", "spec.manifests[0]", "document 1"]),
        (workload("x", CONFIG_MAP % ("a", "x")).replace("manifests:", "manifest:"), ["manifest"]),
        ("{apiVersion: v1, kind: ConfigMap, metadata: {name: a}}", ["ConfigMap", "spec.manifests"]),
        ("{apiVersion: threeport.io/v9, kind: Workload, metadata: {name: a}}", ["threeport.io/v1alpha1"]),
        (workload("x", f"a: {'x' * 2_000_000}"), ["workload/x"]),
    ],
    ids=["no-yaml", "bad-manifest", "unknown-field", "kubernetes-object", "other-version", "too-large"],
)
def test_a_bad_document_is_refused_with_words_that_help(shared: Tptctl, document: str, words: list[str]) -> None:
    answer = shared("apply", "-f", "-", stdin=document)
    assert answer.code == 1
    assert answer.out == ""
    for word in words:
        assert word in answer.err
    assert shared("get", "workload", "x").code == 3


def test_the_error_names_the_file_that_a_manifest_came_from(shared: Tptctl, tmp_path: Path) -> None:
    (tmp_path / "app.yaml").write_text("kind: ConfigMap\n")
    (tmp_path / "w.yaml").write_text(workload("x", "app.yaml"))
    answer = shared("apply", "-f", str(tmp_path / "w.yaml"))
    assert answer.code == 1
    assert "w.yaml: workload/x:" in answer.err
    assert "spec.manifests[0] (app.yaml)" in answer.err


def test_one_bad_document_keeps_all_others_out(shared: Tptctl) -> None:
    documents = workload("good", CONFIG_MAP % ("a", "x")) + "---\n" + workload("bad", "kind: ConfigMap\n")
    assert shared("apply", "-f", "-", stdin=documents).code == 1
    assert shared("get", "workload", "good").code == 3


def test_a_reference_to_nothing_is_a_warning_and_heals_by_itself(shared: Tptctl) -> None:
    answer = shared("apply", "-f", "-", stdin=INSTANCE)
    assert answer.code == 0
    assert "Warning:" in answer.err
    assert "late" in answer.err
    shared.ok("wait", "workloadinstance/early", "--for", "condition=Ready=False", "--timeout", "30s")
    shared.ok("apply", "-f", "-", stdin=DEFINITION)
    shared.ok("wait", "workloadinstance/early", "--timeout", "60s")
    refused = shared("delete", "workloaddefinition", "late")
    assert refused.code == 1
    assert "early" in refused.err
    deleted = shared.ok("delete", "-f", "-", stdin=f"{DEFINITION}---\n{INSTANCE}")
    assert deleted.splitlines() == ["workloadinstance/early deleted", "workloaddefinition/late deleted"]


def test_what_does_not_exist_is_exit_code_3(shared: Tptctl) -> None:
    for command in (
        ["get", "workload", "no"],
        ["describe", "workload/no"],
        ["delete", "workload", "no"],
        ["wait", "wl/no"],
    ):
        answer = shared(*command)
        assert (answer.code, answer.out) == (3, "")
    assert shared.ok("delete", "workload", "no", "--ignore-not-found") == ""
    assert shared("get", "nonsense").code == 1


def test_a_wait_that_ends_too_early_is_exit_code_4_and_says_what_is_missing(shared: Tptctl) -> None:
    containers = "[{name: c, image: registry.invalid/image:1}]"
    image = f"apiVersion: v1\nkind: Pod\nmetadata: {{name: p}}\nspec: {{containers: {containers}}}"
    shared.ok("apply", "-f", "-", stdin=workload("never", image))
    answer = shared("wait", "workload/never", "--timeout", "3s")
    assert answer.code == 4
    assert "tptctl describe workload never" in answer.err
    shared.ok("delete", "workload/never")
