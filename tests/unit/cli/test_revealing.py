"""Placeholders of secrets are replaced by what they stand for, in objects and in the text of files."""

from __future__ import annotations

from threeport.cli.revealing import _pairs, _placeholders, _replaced

REDACTED = "redacted:0123456789abcdef"
SECRET = {"kind": "Secret", "stringData": {"k": REDACTED}}


def test_what_placeholders_stand_for_is_read_off_the_same_object_in_clear() -> None:
    values = dict(_pairs([SECRET], [{"kind": "Secret", "stringData": {"k": "canary"}}]))
    assert values == {REDACTED: "canary"}
    assert _replaced([SECRET], values) == [{"kind": "Secret", "stringData": {"k": "canary"}}]
    assert _replaced([f"kind: Secret\nstringData:\n  k: {REDACTED}\n"], values) == [
        "kind: Secret\nstringData:\n  k: canary\n"
    ]


def test_a_placeholder_that_stands_for_nothing_stays() -> None:
    assert _replaced([SECRET], {}) == [SECRET]
    assert list(_placeholders([SECRET, {"a": 1}])) == [REDACTED]
