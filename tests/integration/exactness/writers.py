"""Writers that create, change, relabel, replace, delete and re-create at random, alone and several objects at once."""

from __future__ import annotations

import asyncio
import random
from typing import Final

from tests.integration.exactness.connection import COLLECTION, MERGE_PATCH, TRANSACTIONS, Connection, Reply, now
from tests.integration.exactness.history import (
    LABEL,
    MADE,
    PAIR,
    PAIRS,
    PREFIX,
    Change,
    Outcome,
    Verb,
    Write,
    version_of,
)
from threeport.common.types import JsonObject

NAMES: Final = tuple(f"name{number}" for number in range(12))
LABELS: Final = "xyz"
REFUSALS: Final = frozenset({400, 404, 409, 422, 429})
API_VERSION: Final = "threeport.io/v1alpha1"
MANIFEST: Final = "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: settings}\ndata: {number: '%d'}\n"
PAUSES: Final = (0.0, 0.01, 0.02, 0.1)
LONGEST_TRANSACTION: Final = 6


class Writer:
    """One client that writes until it is cancelled, one request after the other.

    A write of unknown outcome may still be made later, so who has sent one goes on under another name: the marks of
    one name are then made in their order.
    """

    def __init__(
        self, name: str, connection: Connection, namespace: str, writes: list[Write], seed: str, filler: int = 0
    ) -> None:
        self._first_name = self._name = name
        self._lives = 0
        self._connection = connection
        self._namespace = namespace
        self._path = COLLECTION.format(namespace=namespace)
        self._writes = writes
        self._random = random.Random(f"{seed} {name}")
        self._number = 0
        self._filler = f"# {'x' * filler}\n" if filler else ""

    async def run(self) -> None:
        """Write until cancelled; the write under way is then of unknown outcome."""
        actions = (self._create, self._patch, self._relabel, self._replace, self._delete, self._pair, self._several)
        weights = (5, 8, 3, 3, 4, 3, 2)
        while True:
            (action,) = self._random.choices(actions, weights)
            self._number += 1
            await action(self._random.choice(NAMES))
            await asyncio.sleep(self._random.choice(PAUSES))

    async def _create(self, name: str) -> None:
        await self._write("POST", self._path, self._new(name), (Change(name, Verb.CREATE),))

    async def _patch(self, name: str) -> None:
        await self._write("PATCH", f"{self._path}/{name}", self._mark(), (Change(name, Verb.CHANGE),))

    async def _relabel(self, name: str) -> None:
        body = self._mark(labels={LABEL: self._random.choice(LABELS)})
        if self._random.random() < 0.3:
            body["spec"] = self._spec()
        await self._write("PATCH", f"{self._path}/{name}", body, (Change(name, Verb.CHANGE),))

    async def _replace(self, name: str) -> None:
        """A PUT of what was read, which says what it was made from."""
        read = await self._connection.request(self._server(), "GET", f"{self._path}/{name}")
        if read.code != 200:
            return
        read.body["metadata"].setdefault("annotations", {}).update(self._mark()["metadata"]["annotations"])
        read.body["metadata"]["labels"] = {LABEL: self._random.choice(LABELS)}
        await self._write("PUT", f"{self._path}/{name}", read.body, (Change(name, Verb.CHANGE),))

    async def _delete(self, name: str) -> None:
        await self._write("DELETE", f"{self._path}/{name}", None, (Change(name, Verb.DELETE),))
        if self._random.random() < 0.5:
            self._number += 1
            await self._create(name)

    async def _pair(self, name: str) -> None:
        """One transaction on both halves of a pair."""
        verb = self._random.choice((Verb.CREATE, Verb.CHANGE, Verb.CHANGE, Verb.CHANGE, Verb.DELETE))
        label = self._random.choice(LABELS)
        operations = [self._operation(half, verb, label=label, pair=True) for half in self._random.choice(PAIRS)]
        await self._transaction(operations)

    async def _several(self, name: str) -> None:
        """One transaction on unrelated objects, which is refused as a whole if one of its parts is."""
        names = self._random.sample(NAMES, self._random.randint(2, LONGEST_TRANSACTION))
        await self._transaction([self._operation(each, Verb.CHANGE) for each in names])

    async def _transaction(self, operations: list[JsonObject]) -> None:
        verbs = {"create": Verb.CREATE, "patch": Verb.CHANGE, "delete": Verb.DELETE}
        changes = tuple(Change(op["object"]["metadata"]["name"], verbs[op["operation"]]) for op in operations)
        await self._write("POST", TRANSACTIONS, {"operations": operations}, changes)

    async def _write(self, method: str, path: str, body: JsonObject | None, changes: tuple[Change, ...]) -> None:
        server, began = self._server(), now()
        content_type = MERGE_PATCH if method == "PATCH" else "application/json"
        try:
            reply = await self._connection.request(server, method, path, body, content_type=content_type)
        except asyncio.CancelledError:
            self._note(began, server, Reply(0, {"message": "left before the answer"}), changes)
            raise
        self._note(began, server, reply, changes)

    def _note(self, began: float, server: int, reply: Reply, changes: tuple[Change, ...]) -> None:
        outcome = Outcome.REFUSED if reply.code in REFUSALS else Outcome.UNKNOWN
        if reply.code in (200, 201):
            outcome = Outcome.DONE
            changes = _completed(changes, reply.body)
        self._writes.append(
            Write(self._name, self._number, began, now(), server, outcome, reply.code, changes, reply.message)
        )
        if outcome is Outcome.UNKNOWN:
            self._lives += 1
            self._name = f"{self._first_name}.{self._lives}"

    def _server(self) -> int:
        return self._random.randrange(len(self._connection.urls))

    def _mark(self, **metadata: JsonObject) -> JsonObject:
        return {"metadata": {"annotations": {f"{PREFIX}{self._name}": str(self._number)}, **metadata}}

    def _new(self, name: str, *, label: str = "") -> JsonObject:
        obj = self._mark(labels={LABEL: label or self._random.choice(LABELS)})
        obj["metadata"] |= {"name": name, "namespace": self._namespace}
        obj["metadata"]["annotations"][MADE] = f"{self._name}/{self._number}"
        return {"apiVersion": API_VERSION, "kind": "WorkloadDefinition", "spec": self._spec(), **obj}

    def _spec(self) -> JsonObject:
        return {"manifests": [MANIFEST % self._random.randrange(1000) + self._filler]}

    def _operation(self, name: str, verb: Verb, *, label: str = "", pair: bool = False) -> JsonObject:
        obj = self._new(name, label=label)
        if verb is not Verb.CREATE:
            del obj["metadata"]["annotations"][MADE], obj["spec"]
        if pair:
            obj["metadata"]["annotations"][PAIR] = f"{self._name}/{self._number}"
        return {"operation": "patch" if verb is Verb.CHANGE else str(verb), "object": obj}


def _completed(changes: tuple[Change, ...], body: JsonObject) -> tuple[Change, ...]:
    """The changes with what the answer says of them: the objects, or, of a deletion alone, the uid."""
    if body.get("kind") == "Status":
        return (changes[0]._replace(uid=body["details"]["uid"]),)
    results = body.get("results", [body])
    return tuple(
        change._replace(
            uid=result["metadata"]["uid"], version=None if change.verb is Verb.DELETE else version_of(result)
        )
        for change, result in zip(changes, results, strict=True)
    )
