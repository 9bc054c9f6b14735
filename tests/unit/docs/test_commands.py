"""Commands and paths that the documents and messages name are there, and the commands take what is shown with them."""

from __future__ import annotations

import ast
import itertools
import re
import shlex
from collections.abc import Iterator
from pathlib import Path

import click
import pytest

from tests.unit.docs.test_links import REPOSITORY, documents
from threeport.cli.main import cli

FENCE = re.compile(r"^```.*?\n(.*?)^```$", re.MULTILINE | re.DOTALL)
INLINE = re.compile(r"`([^`]+)`")
PATH = re.compile(r"(?<![\w./~-])(?:docs|samples|scripts|threeport|operators|agent|charts|crds|tests)/[\w./-]*\w")
MODULE = re.compile(r"-m ((?:threeport|agent|tests)[\w.]*)")
VALUES = {"N": "1", "K": "1", "DURATION": "5m", "[LOCAL:]REMOTE": "8080:80", "LOCAL:REMOTE": "8080:80"}
"""What stands for placeholders that only a number or the like can replace."""


def commands_in(text: str) -> Iterator[str]:
    """Command lines of ``tptctl`` in code blocks, indented lines and inline code of Markdown."""
    unfenced = FENCE.sub("", text)
    blocks = [block for block in FENCE.findall(text) if "apiVersion:" not in block]
    lines = [line for block in blocks for line in block.splitlines()]
    lines += [line for line in unfenced.splitlines() if line.startswith("    ")]
    lines += [" ".join(code.split()) for code in INLINE.findall(unfenced)]
    for line in lines:
        found = re.match(r"\s*(?:\$ )?(?:\.venv/bin/)?tptctl (?![|/])([^#>&;]*)", line)
        if found and found[1].strip():
            yield found[1].strip()


def variants(command: str) -> Iterator[list[str]]:
    """What a line with placeholders stands for: ``a|b`` is two, ``[x]`` is with and without, ``...`` is left out."""
    command = re.sub(r"-f FILE\|DIR\|-", "-f FILE", command).replace("...", " ")
    first, *others = command.split(" | ")
    group = first.split()[0]
    for part in (first, *(f"{group} {other}" for other in others)):
        optional = re.sub(r"\[LOCAL:\]REMOTE", "8080:80", part)
        for text in {without_options(optional), re.sub(r"[\[\]]", " ", optional)}:
            words = [VALUES.get(word, word) for word in shlex.split(text)]
            yield from map(list, itertools.product(*(word.split("|") if "=" not in word else [word] for word in words)))


def without_options(text: str) -> str:
    """The line without what stands in brackets, nested ones included."""
    shorter = re.sub(r"\[[^\[\]]*\]", "", text)
    return shorter if shorter == text else without_options(shorter)


def problem_with(words: list[str]) -> str | None:
    """What tptctl would refuse of this command line, before it does anything."""
    context, command = click.Context(cli), cli
    rest = words
    try:
        while isinstance(command, click.Group):
            if rest in ([], ["--help"]):
                return None
            name, found, rest = command.resolve_command(context, rest)
            assert found is not None
            context, command = click.Context(found, info_name=name, parent=context), found
        if "--help" not in rest and rest:
            command.make_context(words[0], list(rest), parent=context.parent)
    except click.ClickException as error:
        return f"tptctl {' '.join(words)}: {error.format_message()}"
    return None


def messages() -> Iterator[tuple[str, str]]:
    """Texts in the code that name a command in backquotes, with the file."""
    for file in sorted(
        path for top in ("threeport", "operators", "agent") for path in (REPOSITORY / top).rglob("*.py")
    ):
        for node in ast.walk(ast.parse(file.read_text())):
            if isinstance(node, ast.JoinedStr):
                text = "".join(part.value if isinstance(part, ast.Constant) else "x1" for part in node.values)
            elif isinstance(node, ast.Constant) and isinstance(node.value, str):
                text = node.value
            else:
                continue
            for code in re.findall(r"`tptctl ([^`|]+)`", text):
                yield str(file.relative_to(REPOSITORY)), " ".join(code.split())


@pytest.mark.parametrize("document", documents(), ids=lambda path: str(path.relative_to(REPOSITORY)))
def test_every_command_in_the_documents_is_one_that_tptctl_takes(document: Path) -> None:
    shown = [words for command in commands_in(document.read_text()) for words in variants(command)]
    assert [problem for words in shown if (problem := problem_with(words))] == []


def test_every_command_that_a_message_recommends_is_one_that_tptctl_takes() -> None:
    found = list(messages())
    assert len(found) > 20
    problems = [(file, problem_with(words)) for file, command in found for words in variants(command)]
    assert [each for each in problems if each[1]] == []


@pytest.mark.parametrize("document", documents(), ids=lambda path: str(path.relative_to(REPOSITORY)))
def test_every_path_and_module_in_the_documents_is_there(document: Path) -> None:
    text = document.read_text()
    code = [*INLINE.findall(FENCE.sub("", text)), *FENCE.findall(text)]
    missing = {path for part in code for path in PATH.findall(part) if not is_there(path)}
    missing |= {module for part in code for module in MODULE.findall(part) if not is_there(module.replace(".", "/"))}
    assert sorted(missing) == []


def is_there(path: str) -> bool:
    """Whether a file or folder, or the Python module of this path, exists; ``operators/NAME`` stands for any."""
    return path.rpartition("/")[2].isupper() or any(
        (REPOSITORY / candidate).exists() for candidate in (path, f"{path}.py")
    )
