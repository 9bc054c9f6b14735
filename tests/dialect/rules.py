"""Judges one statement on the syntax tree that PostgreSQL's own parser gives of it."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator
from itertools import count

from pglast import ast, enums, parse_sql
from pglast.parser import ParseError

from tests.dialect import vocabulary
from tests.dialect.vocabulary import reason

PLACEHOLDER = re.compile(r"%(?:%|s|b|t|\((\w+)\)[sbt])")
"""Placeholders of psycopg: %s and %(name)s; %% is a percent sign."""

IDEMPOTENT = {ast.CreateSchemaStmt: "if_not_exists", ast.CreateStmt: "if_not_exists", ast.IndexStmt: "if_not_exists",
              ast.DropStmt: "missing_ok"}  # fmt: skip

PARAMETERS = "parameters of a table are for one database only: use columns and the sweeper"


def problems(sql: str, *, migration: bool = False) -> list[str]:
    """What keeps CockroachDB or PostgreSQL from running it as we mean it; nothing if all is well.

    `migration` says that it is a step of a migration: then one DDL statement that may be repeated.
    """
    try:
        statements = parse_sql(_numbered(sql))
    except ParseError as error:
        return [f"PostgreSQL cannot parse it: {error}"]
    if len(statements) != 1:
        return [f"{len(statements)} statements: send them one by one, as CockroachDB commits before DDL"]
    (statement,) = (raw.stmt for raw in statements)
    return list(dict.fromkeys([*_of_statement(statement, migration=migration), *_of_nodes(statement)]))


def _numbered(sql: str) -> str:
    """With PostgreSQL's placeholders, a number for each name."""
    positions, numbers = count(1), {}

    def number(found: re.Match[str]) -> str:
        if found[0] == "%%":
            return "%"
        return f"${numbers.setdefault(found[1], next(positions)) if found[1] else next(positions)}"

    return PLACEHOLDER.sub(number, sql)


def _of_statement(statement: ast.Node, *, migration: bool) -> Iterator[str]:
    name = type(statement).__name__
    if isinstance(statement, ast.VariableSetStmt) and statement.name in vocabulary.SETTINGS:
        return
    if name not in vocabulary.STEPS if migration else name not in vocabulary.STATEMENTS:
        yield f"{name}: {reason(name)}" if name in vocabulary.REASONS else f"{name} has no place here"
    elif migration and isinstance(statement, tuple(IDEMPOTENT)) and not getattr(statement, IDEMPOTENT[type(statement)]):
        yield f"{name} may not be repeated: say IF [NOT] EXISTS, as a step may run twice"


def _of_nodes(statement: ast.Node) -> Iterator[str]:
    changed = Counter[str]()
    for node in _walk(statement):
        match node:
            case ast.FuncCall():
                yield from _unknown("function", _last(node.funcname), vocabulary.FUNCTIONS)
            case ast.A_Expr() if node.kind != enums.A_Expr_Kind.AEXPR_BETWEEN:
                yield from _unknown("operator", _last(node.name), vocabulary.OPERATORS)
            case ast.TypeName():
                yield from _unknown("type", _last(node.names), vocabulary.TYPES)
            case ast.Constraint():
                yield from _of_constraint(node)
            case ast.IndexStmt():
                yield from _of_index(node)
            case ast.CreateStmt() if node.options:
                yield PARAMETERS
            case ast.AlterTableStmt():
                yield from _of_alteration(node)
            case ast.LockingClause() if node.waitPolicy != enums.LockWaitPolicy.LockWaitBlock:
                yield "SKIP LOCKED and NOWAIT differ: wait, or use a lease"
            case ast.InsertStmt() | ast.UpdateStmt() | ast.DeleteStmt():
                changed[node.relation.relname] += 1
    yield from (f"table {name} is changed {times} times in it" for name, times in changed.items() if times > 1)


def _of_constraint(node: ast.Constraint) -> Iterator[str]:
    if node.contype.name not in vocabulary.CONSTRAINTS:
        known = {"CONSTR_IDENTITY": "identity columns give no order on CockroachDB: use revisions or UUIDs"}
        yield f"constraint {node.contype.name}: {known.get(node.contype.name, 'not for both databases, or not needed')}"


def _of_alteration(node: ast.AlterTableStmt) -> Iterator[str]:
    if len(node.cmds) != 1:
        yield "several changes of a table in one step: one each"
    if any(command.subtype == enums.AlterTableType.AT_SetRelOptions for command in node.cmds):
        yield PARAMETERS
    if any(command.subtype == enums.AlterTableType.AT_DropConstraint for command in node.cmds):
        yield "CockroachDB keeps every primary key: keep it to the steps of one dialect"


def _of_index(node: ast.IndexStmt) -> Iterator[str]:
    yield from _unknown("index method", node.accessMethod, vocabulary.INDEXES)
    for element in node.indexParams:
        if element.opclass:
            yield f"operator class {_last(element.opclass)}: CockroachDB has no such"
    if node.options or node.concurrent or node.tableSpace:
        yield "options of an index differ"


def _unknown(what: str, name: str, known: frozenset[str]) -> Iterator[str]:
    if name not in known:
        yield f"{what} {name}: {reason(name)}"


def _last(names: tuple[ast.String, ...]) -> str:
    """The name without its schema."""
    return str(names[-1].sval)


def _walk(node: object) -> Iterator[ast.Node]:
    if isinstance(node, ast.Node):
        yield node
        for name in node:
            yield from _walk(getattr(node, name))
    elif isinstance(node, tuple):
        for item in node:
            yield from _walk(item)
