"""From answers to exceptions."""

from __future__ import annotations

import orjson
import pytest

from threeport.client.errors import error_from_answer, error_from_status
from threeport.common import errors


@pytest.mark.parametrize(
    "kind",
    [
        errors.BadRequest, errors.Unauthorized, errors.Forbidden, errors.NotFound, errors.Conflict,
        errors.AlreadyExists, errors.Expired, errors.RequestTooLarge, errors.Invalid, errors.TooManyRequests,
    ],
)  # fmt: skip
def test_a_status_comes_back_as_the_error_that_it_was_made_from(kind: type[errors.ApiError]) -> None:
    sent = kind("no", kind="Workload", name="x", causes=[errors.Cause("spec.a", "bad")], retry_after=7)
    found = error_from_answer(kind.code, orjson.dumps(sent.as_status()))
    assert type(found) is kind
    assert found.as_status() == sent.as_status()


def test_an_answer_that_is_no_status_keeps_its_code_and_words() -> None:
    found = error_from_answer(502, b"<html>bad gateway</html>")
    assert isinstance(found, errors.ServiceUnavailable)
    assert "bad gateway" in found.message


def test_an_unknown_code_is_kept() -> None:
    assert error_from_answer(418, b"{}").code == 418


def test_a_status_without_details_is_understood() -> None:
    found = error_from_status({"kind": "Status", "code": 410, "reason": "Gone", "message": "too old"})
    assert isinstance(found, errors.Expired)


def test_retry_after_comes_from_the_header_where_the_status_has_none() -> None:
    assert error_from_answer(429, b"", "3").retry_after == 3
    assert error_from_answer(429, b"", "Wed, 21 Oct 2015 07:28:00 GMT").retry_after is None
