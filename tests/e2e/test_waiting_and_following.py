"""Waiting for all objects of a kind, and following what happens until Ctrl-C, or until nobody reads any more."""

from __future__ import annotations

import json
import signal
import uuid
from collections.abc import Iterator

import pytest
import yaml

from tests.e2e.conftest import Answer, Eventually, Tptctl
from tests.e2e.test_main_path import CONFIG_MAP, workload

STUCK = """
apiVersion: v1
kind: Pod
metadata: {name: p}
spec: {containers: [{name: c, image: "registry.invalid/image:1"}]}
"""


class Team:
    """A namespace of one test."""

    def __init__(self, tptctl: Tptctl) -> None:
        self.tptctl = tptctl
        self.namespace = f"team-{uuid.uuid4().hex[:8]}"
        self.metadata = {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": self.namespace}}
        tptctl.ok("apply", "-f", "-", stdin=json.dumps(self.metadata))

    def __call__(self, *arguments: str, stdin: str = "") -> Answer:
        """Runs `tptctl` in the namespace."""
        return self.tptctl(*arguments, "-n", self.namespace, stdin=stdin)

    def apply(self, name: str, manifest: str, **labels: str) -> None:
        """Applies a Workload."""
        document = yaml.safe_load(workload(name, manifest))
        document["metadata"]["labels"] = labels
        assert self("apply", "-f", "-", stdin=json.dumps(document)).code == 0


@pytest.fixture
def team(shared: Tptctl) -> Iterator[Team]:
    """A namespace that is emptied afterwards."""
    made = Team(shared)
    yield made
    shared("delete", "namespace", made.namespace)


def test_all_objects_of_a_kind_are_waited_for_or_those_with_some_labels(team: Team) -> None:
    for name in ("a", "b"):
        team.apply(name, CONFIG_MAP % (name, "x"), tier="good")
    all_met = team("wait", "workloads", "--all", "--timeout", "60s")
    assert (all_met.code, sorted(all_met.out.split("\n"))) == (
        0, ["", "workload/a condition met", "workload/b condition met"]
    )  # fmt: skip
    team.apply("stuck", STUCK, tier="bad")
    assert team("wait", "wl", "-l", "tier=good", "--timeout", "60s").out == all_met.out
    late = team("wait", "workloads", "--all", "--timeout", "2s")
    assert late.code == 4
    assert "workload/a condition met" in late.out
    assert "workload/stuck is not Ready=True" in late.err
    one_look = team("wait", "workload", "stuck", "--timeout", "0")
    assert one_look.code == 4
    assert "has not answered" not in one_look.err


def test_every_object_that_is_late_is_told(team: Team) -> None:
    for name in ("first", "second"):
        team.apply(name, STUCK)
    late = team("wait", "workload/first", "workload/second", "--timeout", "1s")
    assert late.code == 4
    assert {"workload/first is not", "workload/second is not"} <= {
        line.removeprefix("Error: ").partition(" Ready=")[0] for line in late.err.splitlines()
    }


def test_where_there_is_none_there_is_nothing_to_wait_for(team: Team) -> None:
    none = team("wait", "workloads", "--all")
    assert (none.code, none.out) == (3, "")
    assert f"No workloads found in namespace {team.namespace}." in none.err
    selected = team("wait", "workloads", "-l", "tier=none", "--for", "delete")
    assert (selected.code, selected.out) == (0, "")
    assert "No workloads with the labels tier=none found" in selected.err


@pytest.mark.parametrize(
    "words",
    [
        ("wait", "workload/a", "--all"),
        ("wait", "workload", "a", "-l", "b=c"),
        ("wait", "--all"),
        ("wait", "--all", "-f", "x.yaml"),
        ("get", "workload", "a", "-l", "b=c"),
        ("get", "workload/a", "-A"),
    ],
)
def test_all_and_labels_do_not_go_with_names(shared: Tptctl, words: tuple[str, ...]) -> None:
    answer = shared(*words)
    assert (answer.code, answer.out) == (2, "")


@pytest.mark.parametrize("words", [("get", "workloads", "-w"), ("events", "-f")])
def test_ctrl_c_is_how_following_ends_and_nothing_is_said_of_it(team: Team, words: tuple[str, ...]) -> None:
    team.apply("a", CONFIG_MAP % ("a", "x"))
    assert team("wait", "workload/a", "--timeout", "60s").code == 0
    following = team.tptctl.start(*words, "-n", team.namespace)
    assert following.stdout is not None
    following.stdout.readline()
    following.send_signal(signal.SIGINT)
    _, err = following.communicate(timeout=20)
    assert (following.returncode, err) == (130, "")


def test_events_that_nobody_reads_any_more_end_without_a_word(team: Team, eventually: Eventually) -> None:
    team.apply("a", CONFIG_MAP % ("a", "x"))
    assert team("wait", "workload/a", "--timeout", "60s").code == 0
    following = team.tptctl.start("events", "-f", "-n", team.namespace)
    assert following.stdout is not None
    assert following.stdout.readline().startswith("LAST SEEN")
    following.stdout.close()
    numbers = iter(range(1000))

    def ended() -> bool:
        team.apply(f"more-{next(numbers)}", CONFIG_MAP % ("b", "x"))
        return following.poll() is not None

    eventually(ended)
    _, err = following.communicate(timeout=10)
    assert (following.returncode, err) == (0, "")
