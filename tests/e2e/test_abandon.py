"""Letting go of what is in a cluster: only on demand, after it was shown."""

from __future__ import annotations

import json

from tests.e2e.conftest import Tptctl
from tests.e2e.test_main_path import CONFIG_MAP, workload
from threeport.resources.annotations import ABANDON


def test_what_stays_behind_is_shown_first_and_told_afterwards(shared: Tptctl) -> None:
    shared.ok("apply", "-f", "-", stdin=workload("left", CONFIG_MAP % ("a", "x")))
    shared.ok("wait", "workload", "left")
    refused = shared("delete", "workload/left", "--abandon")
    assert refused.code == 2
    assert "2 objects stay in runtime local" in refused.err
    assert "/a\n" in refused.err
    assert "--yes" in refused.err
    assert "deletionTimestamp" not in shared.object("workload", "left")["metadata"]  # type: ignore[operator]
    answer = shared("delete", "workload/left", "--abandon", "--yes")
    assert answer.code == 0
    assert answer.out == "workload/left deleted\n"
    assert "Abandoned: 2 objects stay in runtime local" in answer.err
    assert shared("get", "workloadinstance", "left").code == 3
    events = json.loads(shared.ok("get", "events", "-o", "json"))["items"]
    (told,) = [one for one in events if one["reason"] == "Abandoned" and one["involvedObject"]["name"] == "left"]
    assert told["type"] == "Warning"
    assert "ConfigMap left-" in told["message"]


def test_kinds_that_have_nothing_in_a_cluster_cannot_be_abandoned(shared: Tptctl) -> None:
    shared.ok("apply", "-f", "-", stdin="apiVersion: v1\nkind: Namespace\nmetadata: {name: spare}\n")
    assert shared("delete", "namespace/spare", "--abandon", "--yes").code == 2
    assert shared("delete", "namespace/spare", "--yes").code == 2
    shared.ok("delete", "namespace/spare")


def test_a_runtime_whose_deletion_is_refused_is_not_abandoned_by_a_later_one(shared: Tptctl) -> None:
    shared.ok("apply", "-f", "-", stdin=workload("stays", CONFIG_MAP % ("a", "x")))
    shared.ok("wait", "workload/stays")
    refused = shared("delete", "runtime/local", "--abandon", "--yes")
    assert refused.code == 1
    assert "in use" in refused.err
    assert ABANDON not in str(shared.object("runtime", "local")["metadata"])
    shared.ok("delete", "workload/stays")
