"""What CockroachDB and PostgreSQL both have, of what our SQL uses. What is not here is refused.

Before an addition, look it up in CockroachDB's documentation: functions
(https://www.cockroachlabs.com/docs/stable/functions-and-operators), types
(https://www.cockroachlabs.com/docs/stable/data-types), statements (https://www.cockroachlabs.com/docs/stable/sql-statements).
"""

from __future__ import annotations

STATEMENTS = frozenset({"SelectStmt", "InsertStmt", "UpdateStmt", "DeleteStmt"})
"""Statements of a running system, as nodes of PostgreSQL's syntax tree."""

STEPS = frozenset({"CreateSchemaStmt", "CreateStmt", "IndexStmt", "AlterTableStmt", "DropStmt"})
"""Statements of a migration."""

SETTINGS = frozenset({"statement_timeout"})
"""Settings of a session that both know and obey."""

FUNCTIONS = frozenset({
    "abs", "clock_timestamp", "count", "extract", "jsonb_to_recordset", "length", "lower", "max", "min", "mod", "now",
    "set_config", "strpos", "substr", "sum", "unnest", "upper", "version",
})  # fmt: skip

OPERATORS = frozenset({
    "=", "<>", "<", "<=", ">", ">=", "+", "-", "*", "|", "&", "<<", ">>", "||", "->", "->>", "@>", "<@", "?", "?|",
    "?&", "~", "~~", "!~~",
})  # fmt: skip
"""`~` is a regular expression, `~~` is LIKE."""

TYPES = frozenset({"bool", "bytea", "float8", "int8", "interval", "jsonb", "text", "timestamptz", "uuid"})

INDEXES = frozenset({"btree", "gin"})

CONSTRAINTS = frozenset(
    {"CONSTR_NULL", "CONSTR_NOTNULL", "CONSTR_DEFAULT", "CONSTR_CHECK", "CONSTR_PRIMARY", "CONSTR_UNIQUE"}
)

REASONS = {
    "CopyStmt": "the options of COPY differ: use statements of many rows",
    "CreateFunctionStmt": "its language differs: keep it to the steps of one dialect",
    "CreateSeqStmt": "sequences give no order on CockroachDB: use revisions or UUIDs",
    "CreateTrigStmt": "keep it to the steps of one dialect",
    "DeclareCursorStmt": "cursors outlive no transaction: page by key",
    "DoStmt": "CockroachDB has no DO blocks to rely on: send statements",
    "ListenStmt": "CockroachDB has no notifications: use the event stream",
    "NotifyStmt": "CockroachDB has no notifications: use the event stream",
    "LockStmt": "CockroachDB has no LOCK TABLE: use a lease",
    "TransactionStmt": "the driver opens and ends transactions, and two-phase commit is not there",
    "VariableSetStmt": "CockroachDB may not know this setting",
    "CompositeTypeStmt": "no composite types: use JSONB or columns",
    "CreateRangeStmt": "CockroachDB has no ranges: use two columns",
    "CreateEnumStmt": "to change an enum later differs: use TEXT with a CHECK",
    "TruncateStmt": "it is DDL on CockroachDB: use DELETE",
    "pg_advisory": "CockroachDB accepts advisory locks and locks nothing: use a lease",
    "pg_try_advisory": "CockroachDB accepts advisory locks and locks nothing: use a lease",
    "jsonb_path": "CockroachDB has no jsonpath to rely on: use @>, -> and ->>",
    "pg_notify": "CockroachDB has no notifications: use the event stream",
    "nextval": "sequences give no order on CockroachDB: use revisions or UUIDs",
    "lo_": "CockroachDB has no large objects",
    "starts_with": "CockroachDB has no such function: compare the result of substr",
    "serial": "serial numbers give no order on CockroachDB: use BIGINT revisions or UUIDs",
    "bigserial": "serial numbers give no order on CockroachDB: use BIGINT revisions or UUIDs",
    "int4": "INTEGER has 64 bits on CockroachDB: say BIGINT",
    "json": "use JSONB, which can be indexed and compared",
    "hstore": "CockroachDB has no hstore: use JSONB",
    "/": "whole numbers divide to decimals on CockroachDB: use >> or divide in Python",
    "@?": "CockroachDB has no jsonpath to rely on: use @>, -> and ->>",
    "@@": "CockroachDB has no jsonpath to rely on: use @>, -> and ->>",
    "hash": "USING HASH means another thing on CockroachDB: index an explicit column",
}
"""Why something is refused, for what people are likely to try, by how its name begins."""


def reason(name: str) -> str:
    """Why `name` is refused, and what to do instead."""
    fitting = [start for start in REASONS if name.startswith(start)] if name[:1].isalpha() else [name]
    default = "look it up in CockroachDB's documentation, and add it to tests/dialect/vocabulary.py if it is there"
    return REASONS.get(max(fitting, key=len, default=""), default)
