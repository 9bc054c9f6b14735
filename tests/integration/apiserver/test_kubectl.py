"""kubectl, unmodified, against the whole server: warnings, defaults, and secrets that stay where they are."""

from __future__ import annotations

import asyncio
import shutil
from dataclasses import dataclass
from pathlib import Path

import pytest

from tests.fixtures.api import Api

pytestmark = pytest.mark.skipif(shutil.which("kubectl") is None, reason="kubectl is not installed")

WORKLOAD = """
apiVersion: threeport.io/v1alpha1
kind: Workload
metadata: {{name: {name}}}
spec:
  manifests:
  - |
    apiVersion: v1
    kind: Secret
    metadata: {{name: s}}
    stringData: {{password: {secret}}}
    ---
    apiVersion: v1
    kind: ConfigMap
    metadata: {{name: c}}
"""
INSTANCE = """
apiVersion: threeport.io/v1alpha1
kind: WorkloadInstance
metadata: {{name: {name}}}
spec: {{definitionRef: {{name: nothing}}}}
"""
RUNTIME = """
apiVersion: threeport.io/v1alpha1
kind: KubernetesRuntimeInstance
metadata: {{name: {name}}}
spec: {{definitionRef: {{name: d}}, defaultRuntime: true}}
"""


@dataclass
class Kubectl:
    """kubectl with the administrator's kubeconfig; `cache` keeps its discovery apart from others'."""

    kubeconfig: Path
    cache: Path

    async def __call__(self, *arguments: str, text: str = "") -> tuple[int, str, str]:
        """The exit code, standard output and standard error of a command that reads `text`."""
        process = await asyncio.create_subprocess_exec(
            "kubectl", f"--kubeconfig={self.kubeconfig}", f"--cache-dir={self.cache}", *arguments,
            stdin=asyncio.subprocess.PIPE, stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.PIPE,
        )  # fmt: skip
        out, err = await process.communicate(text.encode())
        return process.returncode or 0, out.decode(), err.decode()


@pytest.fixture
def kubectl(api: Api, tmp_path: Path) -> Kubectl:
    return Kubectl(api.kubeconfig, tmp_path)


async def test_apply_twice_keeps_the_secret_and_the_generation(kubectl: Kubectl, name: str) -> None:
    text = WORKLOAD.format(name=name, secret="c4n4ry")
    assert await kubectl("apply", "-f", "-", text=text) == (0, f"workload.threeport.io/{name} created\n", "")
    assert (await kubectl("apply", "-f", "-", text=text))[0] == 0
    code, shown, _ = await kubectl("get", "workload", name, "-o", "yaml")
    assert code == 0
    assert "c4n4ry" not in shown
    assert "redacted:" in shown
    assert "generation: 1" in shown
    assert (await kubectl("apply", "-f", "-", text=shown))[0] == 0
    raw = await kubectl("get", "--raw", f"/apis/threeport.io/v1alpha1/namespaces/default/workloads/{name}?reveal=true")
    assert '"password":"c4n4ry"' in raw[1]
    server_side = await kubectl("apply", "--server-side", "--force-conflicts", "-f", "-", text=text)
    assert server_side[0] == 0, server_side
    assert (await kubectl("delete", "workload", name, "--wait=false"))[0] == 0


async def test_a_reference_to_nothing_is_a_warning(kubectl: Kubectl, name: str) -> None:
    code, _, warned = await kubectl("apply", "-f", "-", text=INSTANCE.format(name=name))
    assert code == 0
    assert 'workloaddefinitions.threeport.io "nothing" does not exist yet' in warned


async def test_a_second_default_runtime_is_refused_with_the_name_of_the_first(kubectl: Kubectl, name: str) -> None:
    assert (await kubectl("apply", "-f", "-", text=RUNTIME.format(name=f"{name}-a")))[0] == 0
    code, _, refused = await kubectl("apply", "-f", "-", text=RUNTIME.format(name=f"{name}-b"))
    assert code == 1
    assert f"'{name}-a'" in refused
    assert (await kubectl("patch", "runtime", f"{name}-a", "--type=merge", "-p", '{"spec":{"defaultRuntime":false}}'))[
        0
    ] == 0
    assert (await kubectl("apply", "-f", "-", text=RUNTIME.format(name=f"{name}-b")))[0] == 0
    assert (await kubectl("patch", "runtime", f"{name}-b", "--type=merge", "-p", '{"spec":{"defaultRuntime":false}}'))[
        0
    ] == 0


async def test_bad_manifests_are_refused_with_document_and_line(kubectl: Kubectl, name: str) -> None:
    text = WORKLOAD.format(name=name, secret="c4n4ry").replace("kind: ConfigMap", "kind: [ConfigMap")
    code, _, refused = await kubectl("apply", "-f", "-", text=text)
    assert code == 1
    assert "document 2" in refused
    assert "line" in refused
    assert "c4n4ry" not in refused


async def test_objects_go_into_namespaces_that_exist_and_default_stays(kubectl: Kubectl, name: str) -> None:
    text = WORKLOAD.format(name=name, secret="x")
    code, _, refused = await kubectl("apply", "-n", name, "-f", "-", text=text)
    assert code == 1
    assert f'namespaces "{name}" not found' in refused
    assert (await kubectl("create", "namespace", name))[0] == 0
    assert (await kubectl("apply", "-n", name, "-f", "-", text=text))[0] == 0
    code, _, refused = await kubectl("delete", "namespace", "default")
    assert code == 1
    assert "cannot be deleted" in refused
