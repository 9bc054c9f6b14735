"""``tptctl logs`` against a real kube-apiserver: all pods of a workload, those of nobody else."""

from __future__ import annotations

import json
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager

import pytest

from tests.cluster.provision import Cluster
from tests.fixtures.control_plane import WholeControlPlane, until
from tests.integration.views.conftest import Team, pods_of
from tests.integration.views.kubelet import PLACED, Kubelet, deployment
from threeport.apiserver.subresources.log_options import LARGEST_LOG
from threeport.cli.commands import logs
from threeport.kube.labels import INSTANCE_LABEL


@pytest.fixture
def web(team: Team, real_runtime: str, cluster: Cluster, kubelet: Kubelet) -> list[str]:
    """The pods of the workload `web`: two, which have written three lines."""
    team.deploy("web", [deployment("web", replicas=2)], runtime=real_runtime)
    first, second = pods_of(cluster, team.in_cluster("web"))
    kubelet.write(first, "main", "one", ago=300)
    kubelet.write(second, "main", "two", ago=200)
    kubelet.write(first, "main", "three", ago=100)
    return [first, second]


def test_lines_of_all_pods_come_in_the_order_of_time_and_say_where_they_are_from(team: Team, web: list[str]) -> None:
    first, second = web
    expected = [f"[{first}/main] one", f"[{second}/main] two", f"[{first}/main] three"]
    assert team.ok("logs", "workload/web").splitlines() == expected
    assert team.ok("logs", "workloadinstance/web", "--no-prefix").split() == ["one", "two", "three"]


def test_options_narrow_it_down(team: Team, web: list[str]) -> None:
    first, second = web
    assert team.ok("logs", "workload/web", f"pod/{first}").split() == ["one", "three"]
    assert team.ok("logs", "workload/web", f"pod/{first}", "--tail", "1").split() == ["three"]
    assert team.ok("logs", "workload/web", "--since", "250s", "--no-prefix").split() == ["two", "three"]
    assert team.ok("logs", "workload/web", "deployment/web", "-C", "main", "--no-prefix").split()[0] == "one"
    time, text = team.ok("logs", "workload/web", f"pod/{second}", "--timestamps").split()
    assert text == "two"
    assert time.endswith("Z")


def test_a_log_that_is_too_long_for_an_answer_is_not_taken_for_a_whole_one(
    team: Team, web: list[str], kubelet: Kubelet
) -> None:
    for _ in range(LARGEST_LOG // 2**20 + 2):
        kubelet.write(web[0], "main", "x" * 2**20)
    cut = team("logs", "workload/web", "--no-prefix")
    assert (cut.code, cut.out.split()[:3]) == (1, ["one", "two", "three"])
    assert len(cut.out) >= LARGEST_LOG == logs.LARGEST_LOG
    assert "This is not all: an answer holds 10 MiB" in cut.err


def test_what_is_not_there_is_named(team: Team, web: list[str]) -> None:
    missing = team("logs", "workload/web", "-C", "sidecar")
    assert (missing.code, missing.out) == (3, "")
    assert "no container 'sidecar'. It has main." in missing.err
    other = team("logs", "workload/web", "statefulset/db")
    assert other.code == 3
    assert "has no statefulset/db" in other.err
    assert "Deployment/web" in other.err


def test_an_earlier_run_is_asked_for_only_where_there_was_one(team: Team, web: list[str], kubelet: Kubelet) -> None:
    refused = team("logs", "workload/web", "--previous")
    assert (refused.code, refused.out) == (3, "")
    assert "was restarted" in refused.err
    assert not any("previous" in path for path in kubelet.requests)


def test_pods_without_the_label_of_the_instance_are_out_of_reach(
    team: Team, web: list[str], cluster: Cluster, kubelet: Kubelet
) -> None:
    namespace = team.in_cluster("web")
    for name, labels in (("stranger", {"app": "web"}), ("neighbour", {"app": "web", INSTANCE_LABEL: "another-uid"})):
        pod = {"apiVersion": "v1", "kind": "Pod", "metadata": {"name": name, "labels": labels},
               "spec": {**PLACED, "containers": [{"name": "main", "image": "example.org/none:1"}]}}  # fmt: skip
        cluster.kubectl("create", "-n", namespace, "-f", "-", manifest=json.dumps(pod))
        kubelet.write(name, "main", "a secret of somebody else")
        refused = team("logs", "workload/web", f"pod/{name}")
        assert (refused.code, refused.out) == (3, "")
        assert f"has no pod '{name}'" in refused.err
    assert "secret" not in team.ok("logs", "workload/web")
    assert not any("stranger" in path or "neighbour" in path for path in kubelet.requests)


async def test_following_shows_lines_as_they_are_written_also_of_pods_that_come(
    team: Team, whole: WholeControlPlane, cluster: Cluster, kubelet: Kubelet, web: list[str]
) -> None:
    with _following(team, "workload/web", "-f", "--tail", "1") as seen:

        async def has(text: str) -> bool:
            return text in seen()

        await until(lambda: has(f"[{web[0]}/main] three\n"), seconds=20, why=seen)
        kubelet.write(web[1], "main", "four")
        await until(lambda: has(f"[{web[1]}/main] four\n"), seconds=20, why=seen)
        team.deploy("web", [deployment("web", replicas=3)], runtime="views")
        (new,) = set(pods_of(cluster, team.in_cluster("web"))) - set(web)
        kubelet.write(new, "main", "the first words of a new pod")
        await until(lambda: has(f"[{new}/main] the first words of a new pod\n"), seconds=20, why=seen)
        assert "one" not in seen()


async def test_a_log_that_its_node_ends_is_read_on_without_repeats_while_the_container_runs(
    team: Team, kubelet: Kubelet, web: list[str]
) -> None:
    with _following(team, "workload/web", f"pod/{web[0]}", "-f") as seen:

        async def shows(text: str) -> None:
            async def is_there() -> bool:
                return f"{text}\n" in seen()

            kubelet.write(web[0], "main", text)
            await until(is_there, seconds=20, why=seen)

        for text in ("before a cut", "before another"):
            await shows(text)
            kubelet.cut(web[0], "main")
        await shows("after both")
        assert seen().splitlines() == ["one", "three", "before a cut", "before another", "after both"]


async def test_who_has_read_enough_of_a_log_ends_it_without_a_word(
    team: Team, kubelet: Kubelet, web: list[str]
) -> None:
    command = team.whole.tptctl.start("logs", "workload/web", "-f", "-n", team.namespace)
    assert command.stdout is not None
    assert command.stdout.readline().startswith("[")
    command.stdout.close()

    async def ended() -> bool:
        kubelet.write(web[0], "main", "nobody reads this")
        return command.poll() is not None

    await until(ended, seconds=20)
    _, err = command.communicate(timeout=10)
    assert (command.returncode, err) == (0, "")


def test_following_ends_when_every_pod_has_ended(
    team: Team, real_runtime: str, cluster: Cluster, kubelet: Kubelet
) -> None:
    job = deployment("once")
    del job["spec"]["replicas"], job["spec"]["selector"]
    job |= {"apiVersion": "batch/v1", "kind": "Job"}
    job["spec"]["template"]["spec"]["restartPolicy"] = "Never"
    team.deploy("once", [job], runtime=real_runtime)
    (pod,) = pods_of(cluster, team.in_cluster("once"))
    kubelet.write(pod, "main", "all that it had to say")
    kubelet.end(pod, "main")
    assert team.ok("logs", "workload/once", "-f") == "all that it had to say\n"


def test_a_node_that_does_not_answer_is_said_with_the_runtime(
    team: Team, real_runtime: str, cluster: Cluster, kubelet: Kubelet
) -> None:
    plain = deployment("elsewhere")
    del plain["spec"]["template"]["spec"]["nodeSelector"]
    del plain["spec"]["template"]["spec"]["tolerations"]
    team.deploy("elsewhere", [plain], runtime=real_runtime)
    refused = team("logs", "workload/elsewhere")
    assert (refused.code, refused.out) == (1, "")
    assert "Runtime views: the log of pod" in refused.err
    assert "the cluster answered 500" in refused.err


def test_pods_of_simulated_clusters_have_no_logs_and_it_is_said_in_one_sentence(team: Team) -> None:
    team.deploy("toy", [deployment("toy")], runtime="local")
    refused = team("logs", "workload/toy")
    assert (refused.code, refused.out) == (1, "")
    assert "runs on local, a simulated cluster: its pods run no containers, so they have no logs." in refused.err


@contextmanager
def _following(team: Team, *arguments: str) -> Iterator[Callable[[], str]]:
    """Runs `tptctl logs`; gives a function that returns what it has written up to now."""
    written: list[str] = []
    command = team.whole.tptctl.start("logs", *arguments, "-n", team.namespace)
    assert command.stdout is not None
    reader = threading.Thread(target=lambda: written.extend(command.stdout or ()), daemon=True)
    reader.start()
    try:
        yield lambda: "".join(written)
    finally:
        command.terminate()
        reader.join(10)
        command.communicate(timeout=10)
