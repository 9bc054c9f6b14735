"""What the broker brings is news, not truth: a message that nobody of ours has sent changes no object."""

from __future__ import annotations

import asyncio
import time
import uuid
from typing import Any

import nats
import pytest

from tests.fixtures.api import Api
from tests.integration.apiserver.http import GROUP, Http
from threeport.common.revisions import revision_of, system_micros
from threeport.events.message import encode, message_id
from threeport.store.records import Key, StoredObject, encode_body

RESOURCE = "workloads.threeport.io"
WORKLOADS = f"{GROUP}/namespaces/default/workloads"


def forged(obj: dict[str, Any], *, deleted: bool) -> tuple[str, bytes]:
    """The id and the bytes of a message that tells of an object as if it had been written, or deleted, right now."""
    metadata, revision = obj["metadata"], revision_of(system_micros())
    change = StoredObject(
        key=Key(RESOURCE, "default", metadata["name"]), uid=metadata["uid"], revision=revision, generation=7,
        body=encode_body(obj), labels={}, former=(), bookkeeping={}, deleted=deleted, deleting=False,
    )  # fmt: skip
    return message_id(RESOURCE, metadata["uid"], revision), encode(change)


@pytest.mark.parametrize("deleted", [False, True])
async def test_a_forged_message_changes_no_object(
    api: Api, admin: Http, nats_url: str, workload: dict[str, Any], name: str, deleted: bool
) -> None:
    made = (await admin.post(WORKLOADS, workload)).json
    stranger = {**made, "metadata": {**made["metadata"], "name": f"{name}-stranger", "uid": str(uuid.uuid4())}}
    subject = f"{api.environment['THREEPORT_NATS_SUBJECT']}.{RESOURCE.replace('.', '_')}.default.{name}"
    client = await nats.connect(nats_url)
    stream = client.jetstream()  # whose answer to a message says that it has taken it
    for obj in ({**made, "spec": {"manifests": []}}, stranger):
        identity, data = forged(obj, deleted=deleted)
        await stream.publish(subject, data, headers={"Nats-Msg-Id": identity})
    for nonsense in (b"", b"{", b"[]\n{}", b"\xff" * 100, b'{"key": 1}\n{}'):
        await stream.publish(subject, nonsense)
    await client.close()
    assert (await admin.get(f"{WORKLOADS}/{name}")).json == made
    assert (await admin.get(f"{WORKLOADS}/{name}-stranger")).code == 404
    listed = [item["metadata"]["name"] for item in (await admin.get(WORKLOADS)).json["items"]]
    assert name in listed
    assert f"{name}-stranger" not in listed
    written = await admin.patch(f"{WORKLOADS}/{name}", {"metadata": {"labels": {"a": "b"}}})
    assert written.code == 200
    deadline = time.monotonic() + 10
    while (await admin.get("/readyz")).code != 200 and time.monotonic() < deadline:
        await asyncio.sleep(0.1)
    assert (await admin.get("/readyz")).code == 200
