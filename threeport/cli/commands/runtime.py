"""``tptctl runtime add``: a real cluster to run workloads on."""

from __future__ import annotations

from pathlib import Path

import click

from threeport.bootstrap.kubeconfig import ClusterAccess, cluster_access
from threeport.bootstrap.runtimes import add_cluster
from threeport.cli.console import progress, result, warning
from threeport.cli.following import Following
from threeport.cli.ordering import Target
from threeport.cli.session import connected, control_plane_option, run
from threeport.cli.times import Duration
from threeport.cli.waiting import ConditionWanted, until_condition
from threeport.resources.kubernetes_runtime import KubernetesRuntimeInstance
from threeport.resources.model import kind_of


@click.group()
def command() -> None:
    """Add Kubernetes clusters to run workloads on. See them with `tptctl get runtimes`."""


@command.command(short_help="Make a cluster known, or renew its credentials.")
@click.argument("name")
@click.option(
    "--kubeconfig", type=click.Path(path_type=Path, dir_okay=False), required=True, help="Where the cluster is."
)
@click.option("--context", help="The context of the kubeconfig; its current one by default.")
@click.option("--default", "default", is_flag=True, help="Workloads that name no runtime run here from now on.")
@click.option("--timeout", type=Duration(), default="2m", show_default=True, help="How long to wait until it is ready.")
@control_plane_option
def add(
    name: str,
    kubeconfig: Path,
    context: str | None,
    default: bool,
    timeout: float,
    control_plane: str | None,
) -> None:
    """Make a cluster known, or renew the credentials of one that is, and wait until it is ready."""
    access = cluster_access(kubeconfig, context)
    if access.expires:
        warning(f"The credentials of the kubeconfig's plugin end at {access.expires}: run this again before.")
    run(_add(name, access, default, timeout, control_plane))


async def _add(name: str, access: ClusterAccess, default: bool, seconds: float, control_plane: str | None) -> None:
    async with connected(control_plane) as client:
        await add_cluster(client, name, access, default=default)
        target = Target(kind_of(KubernetesRuntimeInstance), {"metadata": {"name": name}})
        with progress(f"Waiting for {target}") as say:
            async with Following(client, [target]) as following:
                ready = await until_condition(following, target, ConditionWanted("Ready"), seconds=seconds, say=say)
    version = (ready.get("status") or {}).get("kubernetesVersion")
    result(f"{target} is ready" + (f", Kubernetes {version}" if version else ""))
