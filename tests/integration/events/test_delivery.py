"""Events reach the watchers of all processes: from the stream in milliseconds, and without it all the same."""

from __future__ import annotations

import asyncio
import contextlib
import statistics

import nats
import pytest

from tests.integration.events.conftest import RESOURCE, ApiProcess, StartApi, Watcher, eventually, state_of
from threeport.common.errors import Expired, TooManyRequests
from threeport.common.revisions import SECOND, revision_of
from threeport.events import hub as hub_module
from threeport.events.core import Source
from threeport.events.stream import StreamSettings
from threeport.store.records import Bookmark

TwoApis = tuple[ApiProcess, ApiProcess]


async def test_more_than_99_percent_of_events_come_from_the_stream_within_milliseconds(two_apis: TwoApis) -> None:
    watchers = [Watcher(api.hub, api.hub.list_revision()) for api in two_apis]
    committed: dict[tuple[str, int], float] = {}
    for number in range(600):
        created = await two_apis[number % 2].create(f"w{number}")
        committed[created.uid, created.revision] = asyncio.get_running_loop().time()
    for watcher, api in zip(watchers, two_apis, strict=True):
        await watcher.until(lambda watcher=watcher: len(watcher.by_name) == 600)
        lags = [watcher.arrivals[identity] - time for identity, time in committed.items()]
        assert statistics.quantiles(lags, n=100)[97] < 0.1
        assert statistics.median(lags) < 0.02
        events = api.hub.health().events
        assert events[Source.REFRESH] / sum(events.values()) < 0.01
        assert events[Source.COMMIT] > 295, "its own half"
        assert events[Source.STREAM] > 290, "the other's half"
        assert watcher.by_name == await state_of(api)


async def test_acknowledged_changes_leave_the_outbox(two_apis: TwoApis) -> None:
    api = two_apis[0]
    for number in range(50):
        await api.create(f"w{number}")
    await eventually(lambda: api.events.relay.oldest_age == 0.0)


async def test_with_the_relay_paused_events_come_by_refresh_within_seconds_and_health_says_so(
    two_apis: TwoApis,
) -> None:
    writer, other = two_apis
    watcher = Watcher(other.hub, other.hub.list_revision())
    for api in two_apis:
        api.events.relay.pause()
    created = await writer.create("w")
    await watcher.until(lambda: "w" in watcher.by_name, seconds=8)
    assert other.hub.health().events == {"commit": 0, "stream": 0, "refresh": 1}
    assert writer.hub.health().events == {"commit": 1, "stream": 0, "refresh": 0}
    await eventually(lambda: writer.events.health().outbox_oldest_age > 2)
    assert writer.events.health().relay == "paused"
    # From here on, refreshes come each second.
    await writer.change(created)
    await watcher.until(lambda: len(watcher.received) == 2, seconds=3)
    for api in two_apis:
        api.events.relay.resume()
    await eventually(lambda: all(api.events.relay.oldest_age == 0.0 for api in two_apis))
    assert writer.events.health().relay == "ok"


async def test_an_object_too_large_for_a_message_arrives_all_the_same(two_apis: TwoApis) -> None:
    watcher = Watcher(two_apis[1].hub, two_apis[1].hub.list_revision())
    await watcher.until(lambda: bool(watcher.bookmarks))
    created = await two_apis[0].create("large", filling=1_200_000)
    await watcher.until(lambda: bool(watcher.received), seconds=3)
    assert watcher.received[0].body == created.body


async def test_what_is_no_message_of_ours_is_ignored(two_apis: TwoApis, nats_url: str, stream: StreamSettings) -> None:
    watcher = Watcher(two_apis[0].hub, two_apis[0].hub.list_revision())
    client = await nats.connect(nats_url)
    for data in (b"", b"{}", b"\xff\xfe", b'{"key":["a"]}\nbody', b'{"key":["a","b","c"],"uid":"u"}\n{}', b"[]\n{}"):
        await client.jetstream().publish(f"{stream.prefix}.x", data)
    await client.close()
    await two_apis[1].create("w")
    await watcher.until(lambda: "w" in watcher.by_name)
    assert two_apis[0].hub.health().events["stream"] == 1


async def test_what_an_object_has_in_the_database_arrives_with_the_event(two_apis: TwoApis) -> None:
    watcher = Watcher(two_apis[1].hub, two_apis[1].hub.list_revision())
    await watcher.until(lambda: bool(watcher.bookmarks))  # a replay would hold the newest state only
    created = await two_apis[0].create("w", filling=10)
    deleted = await two_apis[0].delete(created)
    await watcher.until(lambda: len(watcher.received) == 2)
    assert watcher.received == [created, deleted]


async def test_a_watch_without_revision_gets_only_what_comes_later(two_apis: TwoApis) -> None:
    await two_apis[0].create("before")
    watcher = Watcher(two_apis[1].hub, None)
    await watcher.until(lambda: bool(watcher.bookmarks))
    await two_apis[0].create("after")
    await watcher.until(lambda: bool(watcher.received))
    assert [event.key.name for event in watcher.received] == ["after"]


async def test_a_revision_that_is_too_old_is_refused(two_apis: TwoApis) -> None:
    for since in (0, two_apis[0].clock.read() - revision_of(36 * 60 * SECOND)):
        watch = two_apis[0].hub.watch(RESOURCE, since=since)
        with pytest.raises(Expired, match="list again"):
            await anext(watch)


async def test_an_older_revision_than_the_hub_remembers_is_resumed_from_the_database(two_apis: TwoApis) -> None:
    created = await two_apis[0].create("w")
    gone = await two_apis[0].delete(await two_apis[0].create("gone"))
    watcher = Watcher(two_apis[1].hub, two_apis[1].clock.read() - revision_of(30 * 60 * SECOND))
    await watcher.until(lambda: len(watcher.received) == 2)
    assert watcher.received == [created, gone]


async def test_a_long_replay_misses_nothing_that_changes_between_its_pages(
    two_apis: TwoApis, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(hub_module, "PAGE", 3)
    created = [await two_apis[0].create(f"w{number}") for number in range(10)]
    hub = two_apis[1].hub
    core = hub._core  # noqa: SLF001
    await eventually(lambda: all(core.knows(RESOURCE, each.uid, each.revision) for each in created))
    core._memory.forget(created[-1].revision)  # noqa: SLF001 - as if all of it had been made longer ago
    watch = hub.watch(RESOURCE, since=two_apis[1].clock.read() - revision_of(30 * 60 * SECOND))
    async with contextlib.aclosing(watch):
        seen = [await anext(watch) for _ in range(2)]
        moved = await two_apis[0].change(created[7])
        gone = await two_apis[0].delete(created[0])
        again = await two_apis[0].create("w0")
        while again not in seen:
            seen.append(await asyncio.wait_for(anext(watch), 15))
    events = [item for item in seen if not isinstance(item, Bookmark)]
    assert events == [*created[:7], *created[8:], moved, gone, again]


async def test_too_many_watches_are_refused_and_a_closed_one_makes_room(two_apis: TwoApis) -> None:
    hub = two_apis[0].hub
    hub._max_watches = 2  # noqa: SLF001
    first, second = Watcher(hub, None), Watcher(hub, None)
    await eventually(lambda: hub.health().watches == 2)
    with pytest.raises(TooManyRequests):
        await anext(hub.watch(RESOURCE, since=None))
    await first.leave()
    third = Watcher(hub, None)
    await eventually(lambda: hub.health().watches == 2)
    assert third.ended is None
    await second.leave()
    await third.leave()


async def test_a_watcher_that_is_too_slow_is_cut(two_apis: TwoApis) -> None:
    hub = two_apis[0].hub
    hub._core._buffer = 20  # noqa: SLF001
    watch = hub.watch(RESOURCE, since=None)
    first = asyncio.create_task(anext(watch))
    await eventually(lambda: hub.health().watches == 1)
    created = [await two_apis[0].create(f"w{number}") for number in range(30)]
    await first
    await eventually(lambda: hub.health().watches == 0)
    received = [event async for event in watch]
    assert len(received) < len(created)


async def test_a_watch_resumed_at_another_process_misses_nothing(two_apis: TwoApis) -> None:
    first, second = two_apis
    watcher = Watcher(first.hub, first.hub.list_revision())
    obj = await first.create("kept")
    doomed = await first.create("doomed")
    await watcher.until(lambda: len(watcher.by_name) == 2 and bool(watcher.bookmarks))
    bookmark = watcher.bookmarks[-1]
    await watcher.leave()
    await second.delete(doomed)
    await first.change(obj)
    await second.create("new")
    resumed = Watcher(second.hub, bookmark)
    resumed.by_name, resumed.by_uid = watcher.by_name, watcher.by_uid
    expected = await state_of(first)
    await resumed.until(lambda: resumed.by_name == expected)
    assert doomed.uid not in resumed.by_uid


async def test_a_late_deletion_does_not_hide_the_object_that_has_the_name_now(two_apis: TwoApis) -> None:
    first, second = two_apis
    watcher = Watcher(second.hub, second.hub.list_revision())
    old = await first.create("name")
    await watcher.until(lambda: bool(watcher.received))
    first.events.relay.pause()
    await first.delete(old)
    new = await second.create("name")
    await watcher.until(lambda: len(watcher.received) >= 4)
    assert [(event.uid, event.deleted) for event in watcher.received] == [
        (old.uid, False),
        (new.uid, False),  # from the stream
        (old.uid, True),  # from the database, later
        (new.uid, False),
    ]
    assert watcher.by_name == await state_of(first)
    assert list(watcher.by_uid) == [new.uid]


async def test_a_process_works_without_a_broker(start_api: StartApi) -> None:
    api = await start_api("nats://127.0.0.1:1")
    watcher = Watcher(api.hub, api.hub.list_revision())
    await api.create("w")
    await watcher.until(lambda: "w" in watcher.by_name, seconds=3)
    assert api.events.health().nats == "lost"
