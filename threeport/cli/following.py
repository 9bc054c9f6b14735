"""What becomes of objects that a command waits for: one watch per kind and namespace, however many objects they are."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, Iterable
from contextlib import aclosing, suppress
from types import TracebackType

from threeport.cli.ordering import Target
from threeport.client import Client
from threeport.client.client import Selection
from threeport.common.errors import Expired
from threeport.common.types import JsonObject
from threeport.resources.kind import Kind


class Following:
    """The states of the objects given, as they follow each other: ``async with Following(client, targets)``."""

    def __init__(self, client: Client, targets: Iterable[Target]) -> None:
        self._groups: dict[tuple[str, str | None], _Group] = {}
        for target in targets:
            key = (target.kind.resource, target.namespace)
            group = self._groups.setdefault(key, _Group(client, target.kind, target.namespace))
            group.waiters.setdefault(target.name, [])

    async def __aenter__(self) -> Following:
        for group in self._groups.values():
            group.start()
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        for group in self._groups.values():
            await group.stop()

    async def note(self, target: Target, obj: JsonObject) -> None:
        """Takes `obj`, which was read by itself, for the state of an object that the watch has not told of yet.

        Else it would look gone to who waits for its end. What is noted has to have an end that the watch can tell.
        """
        group = self._groups.get((target.kind.resource, target.namespace))
        if group is None:
            return
        async with aclosing(self.states(target)) as states:
            known = await anext(states)  # the list comes first: it would replace what is noted before
        if known is None or known["metadata"]["uid"] != obj["metadata"]["uid"]:
            group.objects[target.name] = obj

    async def states(self, target: Target) -> AsyncGenerator[JsonObject | None, None]:
        """The object as it is now, then after changes; None while it does not exist. Raises what the API answers."""
        group = self._groups[target.kind.resource, target.namespace]
        news = asyncio.Event()
        if group.is_known:
            news.set()
        group.waiters[target.name].append(news)
        while True:
            await news.wait()
            news.clear()
            if group.error is not None:
                raise group.error
            yield group.objects.get(target.name)


class _Group:
    """The objects of one kind in one namespace."""

    def __init__(self, client: Client, kind: Kind, namespace: str | None) -> None:
        self.waiters: dict[str, list[asyncio.Event]] = {}
        """By name, for each waiter an event that is set when there is a state that the waiter has not seen."""
        self.objects: dict[str, JsonObject] = {}
        self.is_known = False
        """Whether the API has said which objects there are, or that it will not."""
        self.error: Exception | None = None
        self._client, self._kind, self._namespace = client, kind, namespace
        self._task: asyncio.Task[None] | None = None

    def start(self) -> None:
        self._task = asyncio.create_task(self._follow())

    async def stop(self) -> None:
        if self._task is not None:
            self._task.cancel()
            await asyncio.wait({self._task})

    async def _follow(self) -> None:
        try:
            while True:
                with suppress(Expired):  # away for so long that the API has forgotten: from the start
                    await self._list_and_watch()
        except Exception as error:
            self.error = error
            self._tell(self.waiters)

    async def _list_and_watch(self) -> None:
        selection: Selection = (
            {"field_selector": f"metadata.name={next(iter(self.waiters))}"} if len(self.waiters) == 1 else {}
        )
        listed = await self._client.list(self._kind, self._namespace, **selection)
        self.objects = {obj["metadata"]["name"]: obj for obj in listed.items if obj["metadata"]["name"] in self.waiters}
        self._tell(self.waiters)
        changes = self._client.watch(self._kind, self._namespace, since=listed.resource_version, **selection)
        async with aclosing(changes):
            async for change in changes:
                self._take(change.type == "DELETED", change.object)

    def _take(self, is_deleted: bool, obj: JsonObject) -> None:
        metadata = obj["metadata"]
        known = self.objects.get(metadata["name"])
        if metadata["name"] not in self.waiters or (
            known and known["metadata"]["resourceVersion"] == metadata["resourceVersion"]
        ):
            return
        if not is_deleted:
            self.objects[metadata["name"]] = obj
        elif known is None or known["metadata"]["uid"] == metadata["uid"]:
            self.objects.pop(metadata["name"], None)
        self._tell([metadata["name"]])

    def _tell(self, names: Iterable[str]) -> None:
        self.is_known = True
        for news in (news for name in names for news in self.waiters[name]):
            news.set()
