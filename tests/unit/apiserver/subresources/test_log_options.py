"""What a request for logs may ask for."""

from __future__ import annotations

import pytest

from threeport.apiserver.subresources.log_options import LogOptions
from threeport.common.errors import BadRequest


def test_a_container_is_asked_for_what_was_asked_for() -> None:
    query = LogOptions.parse({"tailLines": "5", "sinceSeconds": "0", "previous": "true"}).as_query("main")
    assert query == {
        "container": "main",
        "timestamps": "true",
        "tailLines": "5",
        "sinceSeconds": "1",
        "previous": "true",
    }
    assert LogOptions.parse({"follow": "1"}).as_query("main")["follow"] == "true"


def test_a_log_that_is_read_on_begins_at_the_last_line_whatever_was_asked_for_at_first() -> None:
    options = LogOptions.parse({"follow": "true", "tailLines": "5", "sinceSeconds": "9"})
    assert options.as_query("main", after=b"2026-01-02T03:04:05.6Z") == {
        "container": "main",
        "timestamps": "true",
        "follow": "true",
        "sinceTime": "2026-01-02T03:04:05.6Z",
    }


@pytest.mark.parametrize(
    "query", [{"tailLines": "-1"}, {"tailLines": "²"}, {"sinceSeconds": "1.5"}, {"follow": "yes"}, {"stream": "All"}]
)
def test_what_is_not_understood_is_refused_by_name(query: dict[str, str]) -> None:
    with pytest.raises(BadRequest, match=next(iter(query))):
        LogOptions.parse(query)


def test_lines_say_where_they_are_from_if_there_are_several_containers_or_as_asked() -> None:
    assert [LogOptions.parse({}).wants_prefix(n) for n in (1, 2)] == [False, True]
    assert LogOptions.parse({"prefix": "true"}).wants_prefix(1)
    assert not LogOptions.parse({"prefix": "false"}).wants_prefix(9)
