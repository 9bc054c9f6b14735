"""Finds every statement that a package sends to its database, so that nobody has to list them.

A place where SQL is sent is a call of the driver's `execute` and its kin, or of a function that passes its own argument
on to such a call: those are found by following the calls. What is passed is computed from the module's constants.
SQL that is composed while the program runs cannot be computed; `Sent.text` then is None, and the caller has to know
what can come there.
"""

from __future__ import annotations

import ast
import importlib
import pkgutil
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from types import ModuleType
from typing import TypeAlias

Function: TypeAlias = ast.FunctionDef | ast.AsyncFunctionDef


@dataclass(frozen=True)
class Sender:
    """A function that sends SQL."""

    position: int
    """Of the SQL among its arguments, `self` not counted."""
    parameters: tuple[str, ...] | None = None
    """What it takes; None where that is not known."""

    def fits(self, call: ast.Call) -> bool:
        """Whether the call can be one of this function, or must be of another with the same name."""
        if len(call.args) <= self.position:
            return False
        named = {keyword.arg for keyword in call.keywords}
        return self.parameters is None or (len(call.args) <= len(self.parameters) and named <= set(self.parameters))


DRIVER = {name: Sender(0) for name in ("execute", "executemany", "stream", "copy")}
"""Methods of psycopg that take SQL."""


@dataclass(frozen=True)
class Sent:
    """A place where SQL is sent."""

    module: str
    """Its name within the package."""
    expression: str
    """The argument, as it stands in the source."""
    text: str | None
    """The SQL; None where it is known only when the program runs."""


@dataclass(frozen=True)
class _Call:
    module: ModuleType
    node: ast.Call
    enclosing: tuple[Function, ...]
    """The functions around it, the innermost last."""


def sent_by(package: str) -> list[Sent]:
    """All places of the package where SQL is sent, except those that only pass on what others give them."""
    calls = list(_calls(package))
    senders = _senders(calls)
    found = []
    for call in calls:
        argument = _argument(call, senders)
        if argument is not None and not _passed_on(argument, call):
            source = ast.unparse(argument)
            name = call.module.__name__.removeprefix(f"{package}.")
            found += [Sent(name, source, text) for text in _texts(argument, call)]
    return found


def _calls(package: str) -> Iterator[_Call]:
    root = importlib.import_module(package)
    for info in pkgutil.walk_packages(root.__path__, f"{package}."):
        module = importlib.import_module(info.name)
        assert module.__file__
        yield from _calls_in(ast.parse(Path(module.__file__).read_text()), module, ())


def _calls_in(node: ast.AST, module: ModuleType, enclosing: tuple[Function, ...]) -> Iterator[_Call]:
    if isinstance(node, Function):
        enclosing = (*enclosing, node)
    if isinstance(node, ast.Call):
        yield _Call(module, node, enclosing)
    for child in ast.iter_child_nodes(node):
        yield from _calls_in(child, module, enclosing)


def _senders(calls: list[_Call]) -> dict[str, Sender]:
    """The functions that send what they are given, by name."""
    senders, before = dict(DRIVER), 0
    while len(senders) != before:
        before = len(senders)
        for call in calls:
            argument = _argument(call, senders)
            passed = _passed_on(argument, call) if argument is not None else None
            if passed:
                senders.setdefault(*passed)
    return senders


def _argument(call: _Call, senders: Mapping[str, Sender]) -> ast.expr | None:
    """The SQL of a call that sends some; `.encode()` and the like are seen through."""
    function = call.node.func
    name = function.attr if isinstance(function, ast.Attribute) else getattr(function, "id", "")
    if name not in senders or not senders[name].fits(call.node):
        return None
    argument = call.node.args[senders[name].position]
    if isinstance(argument, ast.Call) and isinstance(argument.func, ast.Attribute) and argument.func.attr == "encode":
        return argument.func.value
    return argument


def _passed_on(argument: ast.expr, call: _Call) -> tuple[str, Sender] | None:
    """The function whose parameter the argument is."""
    for function in reversed(call.enclosing):
        names = [parameter.arg for parameter in (*function.args.posonlyargs, *function.args.args)]
        names = names[1:] if names[:1] in (["self"], ["cls"]) else names
        if isinstance(argument, ast.Name) and argument.id in names:
            return function.name, Sender(names.index(argument.id), tuple(names))
    return None


def _texts(argument: ast.expr, call: _Call) -> Iterator[str | None]:
    """What the argument can be: both sides of a condition, and each value of a local variable."""
    if isinstance(argument, ast.IfExp):
        yield from _texts(argument.body, call)
        yield from _texts(argument.orelse, call)
    elif values := _assigned(argument, call):
        for value in values:
            yield from _texts(value, call)
    else:
        yield _computed(argument, call.module)


def _assigned(argument: ast.expr, call: _Call) -> list[ast.expr]:
    if not isinstance(argument, ast.Name) or not call.enclosing:
        return []
    statements = [node for node in ast.walk(call.enclosing[-1]) if isinstance(node, ast.Assign)]
    return [
        node.value
        for node in statements
        for target in node.targets
        if isinstance(target, ast.Name) and target.id == argument.id
    ]


def _computed(argument: ast.expr, module: ModuleType) -> str | None:
    try:
        value = eval(compile(ast.Expression(argument), "<statement>", "eval"), vars(module))
    except (NameError, AttributeError):
        return None
    return value if isinstance(value, str) else None
