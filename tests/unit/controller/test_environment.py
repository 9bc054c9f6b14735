"""Controllers say what is missing in their environment."""

from __future__ import annotations

import pytest

from threeport.client import ConfigError
from threeport.controller.environment import ControllerSettings
from threeport.controller.metrics import PendingReconciles
from threeport.controller.registry import load_registry

API = {"THREEPORT_API_URL": "https://localhost:1"}


def test_without_shards_all_objects_are_ours() -> None:
    settings = ControllerSettings.from_environment(API)
    assert (settings.shard, settings.shards, settings.has_door) == (0, 1, True)


def test_the_shard_is_the_ordinal_of_the_pod() -> None:
    settings = ControllerSettings.from_environment({**API, "THREEPORT_SHARDS": "3", "HOSTNAME": "controllers-2"})
    assert (settings.shard, settings.shards) == (2, 3)


@pytest.mark.parametrize(
    ("environ", "said"),
    [
        ({"THREEPORT_SHARDS": "2", "HOSTNAME": "laptop"}, "THREEPORT_SHARD"),
        ({"THREEPORT_SHARDS": "2", "THREEPORT_SHARD": "2"}, "from 0 to 1"),
        ({"THREEPORT_METRICS_PORT": "x"}, "must be a number"),
        ({"THREEPORT_RECONCILES": "0"}, "must be at least 1"),
    ],
)
def test_what_is_wrong_is_said(environ: dict[str, str], said: str) -> None:
    with pytest.raises(ConfigError, match=said):
        ControllerSettings.from_environment({**API, **environ})


def test_an_unknown_controller_is_said() -> None:
    with pytest.raises(ConfigError, match="no controller 'nonsense'"):
        load_registry("nonsense")


def test_objects_are_pending_until_they_are_ready() -> None:
    pending = PendingReconciles()
    pending.expect("workload")
    waiting = {"metadata": {"uid": "a", "generation": 1}}
    ready = {
        **waiting,
        "status": {"observedGeneration": 1, "conditions": [{"type": "Ready", "status": "True"}]},
    }
    pending.see("workload", waiting)
    pending.see("workload", {"metadata": {"uid": "b", "generation": 1}})
    counts = {sample.name: sample.value for metric in pending.collect() for sample in metric.samples}
    assert counts["threeport_controller_pending_reconciles"] == 2
    pending.see("workload", ready)
    pending.see("workload", {"metadata": {"uid": "b"}}, gone=True)
    assert [sample.value for metric in pending.collect() for sample in metric.samples] == [0, 0]
