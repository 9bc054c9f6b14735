"""Names derived from a uid are stable, short and valid."""

from __future__ import annotations

import re

from hypothesis import given
from hypothesis import strategies as st

from threeport.common.ids import derived_name, new_uid, shard_of, suffix_of

DNS_LABEL = re.compile(r"[a-z0-9]([-a-z0-9]*[a-z0-9])?")
names = st.from_regex(r"\A[a-z0-9]([-a-z0-9.]{0,250}[a-z0-9])?\Z")


@given(names, st.uuids())
def test_a_derived_name_fits_a_label_and_ends_in_the_suffix_of_the_uid(base: str, uid: object) -> None:
    name = derived_name(base, str(uid))
    assert len(name) <= 63
    assert name.endswith(f"-{suffix_of(str(uid))}")


@given(st.from_regex(r"\A[a-z0-9]([-a-z0-9]{0,100}[a-z0-9])?\Z"), st.uuids())
def test_a_name_derived_from_a_label_is_a_label(base: str, uid: object) -> None:
    assert DNS_LABEL.fullmatch(derived_name(base, str(uid)))


@given(st.uuids(), st.integers(min_value=1, max_value=64))
def test_every_object_belongs_to_exactly_one_shard(uid: object, shards: int) -> None:
    assert 0 <= shard_of(str(uid), shards) < shards
    assert shard_of(str(uid), shards) == shard_of(str(uid), shards)


def test_uids_differ() -> None:
    assert new_uid() != new_uid()
