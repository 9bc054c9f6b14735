"""CockroachDB and PostgreSQL both understand all SQL that the store sends."""

from __future__ import annotations

import itertools
from collections.abc import Iterator
from pathlib import Path

import pytest

import threeport
from tests.dialect.collect import Sent, sent_by
from tests.dialect.rules import problems
from threeport.store import migrations
from threeport.store.records import Fence, Key, Listing, Operation, ReferenceTarget, Shard, Write
from threeport.store.selection import select
from threeport.store.statements import shape_of, sql_of

KEY = Key("workloads.threeport.io", "default", "web")
MIGRATION = {"migrations"}
"""Modules whose statements are DDL."""

SENT = sent_by("threeport.store")


def composed_writes() -> Iterator[str]:
    """Every statement that writes an object."""
    fences = (None, Fence("controllers/workload/0-of-1", 1))
    references = (None, (), (ReferenceTarget(KEY, blocks_deletion=True),))
    choices = itertools.product(Operation, (None, 5), references, fences, (True, False), (True, False))
    for operation, expected, given, fence, refuse, alone in choices:
        write = Write(
            operation=operation,
            key=KEY,
            uid="u",
            generation=1,
            body="{}",
            labels={},
            bookkeeping={},
            expected=None if operation is Operation.CREATE else expected,
            references=given,
            refuse_if_referenced=refuse,
        )
        yield sql_of(shape_of(write, fence, alone=alone))


def composed_selections() -> Iterator[str]:
    """Every way to select what a list shows."""
    operators = ("exists", "notexists", "in", "notin")
    labels = [("app", operator, frozenset({"a", "b"})) for operator in operators]
    labels.append(("app", "in", frozenset()))
    labels += [("app", operator, frozenset({"1"})) for operator in ("gt", "lt")]
    for given in (True, False):
        listing = Listing(
            KEY.resource,
            namespace="default" if given else None,
            name="web" if given else None,
            labels=tuple(labels) if given else (),
            referring_to=KEY if given else None,
            shard=Shard(0, 2) if given else None,
            only_deleting=given,
        )
        selection = select(listing, after=("default", "web") if given else None)
        yield selection.page(None)
        yield selection.page(10)
        yield selection.page(10, "namespace, name, revision, body")


COMPOSED = {
    ("singles", "sql_of(shape)"): list(composed_writes()),
    ("writing", "sql"): list(composed_writes()),
    ("objects", "selection.page(None if limit is None else limit + 1)"): list(composed_selections()),
    ("objects", "query"): list(composed_selections()),
    ("migrations", "step"): list(migrations.STEPS),
    ("migrations", "f'CREATE SCHEMA IF NOT EXISTS {database.schema}'"): ["CREATE SCHEMA IF NOT EXISTS threeport"],
}
"""What can be sent where the SQL is composed while the program runs: by module and expression."""


@pytest.mark.parametrize("sent", SENT, ids=lambda sent: f"{sent.module}: {sent.expression[:40]}")
def test_both_databases_understand_what_is_sent(sent: Sent) -> None:
    texts = COMPOSED.get((sent.module, sent.expression), []) if sent.text is None else [sent.text]
    assert texts, f"{sent.expression} in {sent.module} is composed at run time: add what it can be to COMPOSED"
    for text in texts:
        ddl = sent.module in MIGRATION and text.startswith("CREATE")
        assert not problems(text, migration=ddl), text


def test_what_is_known_of_composed_statements_is_still_sent() -> None:
    assert set(COMPOSED) <= {(sent.module, sent.expression) for sent in SENT}


def test_the_statements_are_found_where_the_store_sends_them() -> None:
    texts = " ".join(sent.text or "" for sent in SENT)
    for part in ("INSERT INTO leases", "FROM tombstones", "DELETE FROM outbox", "SELECT epoch FROM leases"):
        assert part in texts


def test_no_other_package_sends_sql_to_the_database_of_objects() -> None:
    root = Path(threeport.__file__).parent
    users = {path.relative_to(root).parts[0] for path in root.rglob("*.py") if "import psycopg" in path.read_text()}
    # The local control plane starts servers and makes their databases: each knows which one it speaks to.
    assert users <= {"store", "bootstrap"}


@pytest.mark.parametrize("step", migrations.POSTGRES_STEPS, ids=lambda step: step[:60])
def test_a_step_for_postgresql_alone_is_refused_for_both(step: str) -> None:
    # Once it is not, it can go to the steps of both.
    assert "keep it to the steps of one dialect" in problems(step, migration=True)[0]
