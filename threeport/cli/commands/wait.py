"""``tptctl wait``: until objects are ready, or gone."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence

import click

from threeport.cli.arguments import check_given, objects_or_files
from threeport.cli.console import progress, result
from threeport.cli.documents import Document, read_documents
from threeport.cli.following import Following
from threeport.cli.ordering import Target, in_namespace
from threeport.cli.session import connected, control_plane_option, named_objects, namespace_option, run
from threeport.cli.tally import Tally, listed
from threeport.cli.targets import targets_of
from threeport.cli.times import Duration
from threeport.cli.waiting import ConditionWanted, until_condition, until_gone
from threeport.resources.kind import Catalog


@click.command()
@objects_or_files("Wait for the objects of these files.")
@click.option(
    "--for", "goal", default="condition=Ready", show_default=True, metavar="condition=TYPE[=STATUS]|delete",
    help="What to wait for.",
)  # fmt: skip
@click.option("--timeout", type=Duration(), default="5m", show_default=True, help="How long, as 90s or 5m.")
@namespace_option
@control_plane_option
def command(
    what: tuple[str, ...],
    sources: tuple[str, ...],
    goal: str,
    timeout: float,  # noqa: ASYNC109
    namespace: str,
    control_plane: str | None,
) -> None:
    """Wait until objects have a condition, or are gone."""
    check_given(what, sources)
    wanted = _parse_goal(goal)
    documents = read_documents(sources) if sources else []
    run(_wait(what, documents, wanted, timeout, namespace, control_plane))


def _parse_goal(goal: str) -> ConditionWanted | None:
    """What `--for` means; None is deletion."""
    if goal == "delete":
        return None
    kind, _, text = goal.partition("=")
    if kind != "condition" or not text:
        raise click.BadParameter(
            f"{goal!r}: write condition=Ready, condition=Ready=False, or delete", param_hint="--for"
        )
    return ConditionWanted.parse(text)


async def _wait(
    what: tuple[str, ...],
    documents: Sequence[Document],
    wanted: ConditionWanted | None,
    seconds: float,
    namespace: str,
    control_plane: str | None,
) -> None:
    async with connected(control_plane) as client:
        catalog = await client.catalog()
        targets = targets_of(documents, catalog, namespace) if documents else _named(catalog, what, namespace)
        goal = f"{wanted.type}={wanted.status}" if wanted else "gone"
        with progress(f"Waiting for {listed(targets)}") as say:
            tally = Tally(say, len(targets), goal)
            async with Following(client, targets) as following:
                waits = [_wait_for(following, target, wanted, seconds, tally) for target in targets]
                for line in await asyncio.gather(*waits):
                    result(line)


async def _wait_for(
    following: Following, target: Target, wanted: ConditionWanted | None, seconds: float, tally: Tally
) -> str:
    say = tally.say_of(target)
    if wanted is not None:
        await until_condition(following, target, wanted, seconds=seconds, say=say)
    else:
        await until_gone(following, target, uid=None, seconds=seconds, say=say)
    tally.is_done(target)
    return f"{target} {'condition met' if wanted else 'deleted'}"


def _named(catalog: Catalog, what: tuple[str, ...], namespace: str) -> list[Target]:
    return [
        Target(kind, in_namespace({"metadata": {"name": name}}, kind, namespace))
        for kind, name in named_objects(catalog, what)
    ]
