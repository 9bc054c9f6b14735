"""``tptctl up``: a control plane that runs, with a runtime to put workloads on."""

from __future__ import annotations

import time
from pathlib import Path

import click

from threeport.bootstrap.errors import BootstrapError
from threeport.bootstrap.kubeconfig import ClusterAccess, cluster_access
from threeport.bootstrap.local.control_plane import Wishes, up, wait_for_agents
from threeport.bootstrap.local.installation import Installation
from threeport.bootstrap.local.state import Phase, SupervisorState
from threeport.bootstrap.runtimes import (
    SIMULATED,
    add_cluster,
    add_simulated_runtime,
    default_runtime,
    ensure_namespace,
)
from threeport.cli import completing
from threeport.cli.console import Progress, note, progress, warning
from threeport.cli.errors import CliError
from threeport.cli.following import Following
from threeport.cli.ordering import Target
from threeport.cli.session import run
from threeport.cli.waiting import ConditionWanted, until_condition
from threeport.client import Client
from threeport.client.config import ControlPlaneEntry
from threeport.common.errors import ApiError
from threeport.resources.kubernetes_runtime import KubernetesRuntimeInstance
from threeport.resources.model import kind_of

LOCAL_RUNTIME = "local"
RUNTIME_SECONDS = 60.0


@click.command()
@click.option("--provider", type=click.Choice(["local"]), default="local", show_default=True, help="Where it runs.")
@click.option(
    "--name", default="default", show_default=True, help="The name of the control plane.",
    shell_complete=completing.control_planes,
)  # fmt: skip
@click.option(
    "--kubeconfig", type=click.Path(path_type=Path, dir_okay=False), help="A cluster to be the default runtime."
)
@click.option("--context", help="The context of the kubeconfig; its current one by default.")
@click.option("--runtime-name", default=LOCAL_RUNTIME, show_default=True, help="The name of the default runtime.")
@click.option("--api-processes", type=click.IntRange(1, 32), help="How many API processes; 1, or as many as before.")
def command(
    provider: str,
    name: str,
    kubeconfig: Path | None,
    context: str | None,
    runtime_name: str,
    api_processes: int | None,
) -> None:
    """Start a control plane on this machine, or go on with the one that is there.

    Without --kubeconfig the default runtime is simulated: an imitation of a cluster, for a first look.
    """
    if context and not kubeconfig:
        raise click.UsageError("--context chooses a context of --kubeconfig: give that too.")
    started = time.monotonic()
    access = cluster_access(kubeconfig, context) if kubeconfig else None
    installation = Installation.named(name)
    wishes = Wishes(api_processes=api_processes, simulated=access is None)
    with progress(f"Starting control plane {name}") as say:
        entry = up(installation, wishes, on_progress=lambda state: say(_summary(state)))
        runtime = run(_register(entry, runtime_name, access, say))
        say("Waiting for the agents")
        agents_answer = wait_for_agents(installation)
    note(f"Control plane {name} is up at {entry.url} ({time.monotonic() - started:.0f} s).")
    if not agents_answer:
        warning("Not every agent runs yet, and without its agent a runtime reports nothing: look with `tptctl status`.")
    if runtime.spec.definition_ref.name == SIMULATED:
        note(
            f"Its default runtime {runtime.metadata.name} is simulated: no container really runs. "
            "Add a cluster with `tptctl runtime add NAME --kubeconfig FILE --default`."
        )
    note("Next: tptctl apply -f FILE, tptctl status")


def _summary(state: SupervisorState) -> str:
    ready = [process.name for process in state.processes if process.phase == Phase.READY]
    waiting = [process.name for process in state.processes if process.phase in (Phase.STARTING, Phase.RESTARTING)]
    failing = [
        f"{p.name}: {p.message.splitlines()[0]}"
        for p in state.processes
        if p.restarts and p.message and p.phase != Phase.READY
    ]
    parts = [f"{len(ready)}/{len(state.processes)} processes are ready"]
    if waiting:
        parts.append(f"starting {', '.join(waiting)}")
    return "; ".join(parts + failing)


async def _register(
    entry: ControlPlaneEntry, name: str, access: ClusterAccess | None, say: Progress
) -> KubernetesRuntimeInstance:
    """The default namespace and the default runtime. Returns the latter once it is ready."""
    async with Client(entry.client_settings(), on_warning=warning) as client:
        await ensure_namespace(client)
        if access is not None:
            if access.expires:
                warning(
                    f"The credentials of the kubeconfig's plugin end at {access.expires}. "
                    f"Renew them with `tptctl runtime add {name} --kubeconfig FILE`."
                )
            runtime = await add_cluster(client, name, access, default=True)
        else:
            runtime = await default_runtime(client) or await add_simulated_runtime(client, name, default=True)
        if runtime.metadata.deletion_timestamp:
            raise BootstrapError(
                f"The control plane is up, but its default runtime {runtime.metadata.name} is being deleted: see "
                f"`tptctl describe runtime {runtime.metadata.name}`. Once it is gone, `tptctl up --name {entry.name}` "
                "makes another; `tptctl runtime add NAME --kubeconfig FILE --default` does at once."
            )
        kind = kind_of(KubernetesRuntimeInstance)
        target = Target(kind, {"metadata": {"name": runtime.metadata.name}})
        try:
            async with Following(client, [target]) as following:
                await until_condition(following, target, ConditionWanted("Ready"), seconds=RUNTIME_SECONDS, say=say)
        except (ApiError, CliError) as error:
            raise BootstrapError(f"The control plane is up, but its runtime is not ready. {error}") from error
        return runtime
