"""The image of the agent: this interpreter, the packages that Threeport requires, its source, and the C libraries.

Made from what runs the tests, since no registry is reached. Nothing in it but Python: no shell, no user but by number.
"""

from __future__ import annotations

import hashlib
import py_compile
import re
import subprocess
import sys
import sysconfig
from collections.abc import Iterator
from functools import cache as cache_result
from importlib.metadata import Distribution, distribution
from pathlib import Path, PurePosixPath
from py_compile import PycInvalidationMode
from tempfile import TemporaryDirectory
from typing import Final

from packaging.requirements import Requirement

from tests.kind.archive import Image, Layer, layer, write_images
from tests.kind.programs import cache

NAME: Final = "threeport.test/agent:test"
ROOT: Final = Path(__file__).parents[2]
PREFIX: Final = "opt/python"
UNUSED: Final = frozenset(
    {"site-packages", "test", "tests", "idlelib", "tkinter", "lib2to3", "ensurepip", "__pycache__"}
)


def write_agent_image() -> Path:
    """The archive of the image; made anew unless it is there for this very source. Needs Linux."""
    archive = cache() / f"agent-{_key()}.tar"
    if not archive.exists():
        with TemporaryDirectory(dir=cache()) as folder:
            base, application = Path(folder) / "base.tar", Path(folder) / "application.tar"
            with layer(base) as content:
                _add_interpreter(content)
            with layer(application) as content:
                _add_application(content)
            unfinished = Path(folder) / "image.tar"
            settings = [f"PATH=/{PREFIX}/bin", f"PYTHONHOME=/{PREFIX}", f"LD_LIBRARY_PATH=/{PREFIX}/lib"]
            environment = [*settings, "PYTHONPATH=/app/packages:/app", "PYTHONDONTWRITEBYTECODE=1"]
            write_images(unfinished, [Image([NAME], [base, application], environment=environment)])
            unfinished.replace(archive)
    return archive


def _add_interpreter(content: Layer) -> None:
    program = Path(sys.executable).resolve()
    content.file(f"{PREFIX}/bin/python", program, mode=0o755)
    standard = Path(sysconfig.get_path("stdlib"))
    for path in sorted(standard.rglob("*")):
        parts = path.relative_to(standard).parts
        if path.is_file() and not UNUSED.intersection(parts) and not parts[0].startswith("config-"):
            _add_module(content, f"{PREFIX}/lib/{standard.name}/{'/'.join(parts)}", path)
    extensions = [Path(path) for path in _loaded() if path.endswith(".so")]
    for library in sorted(_libraries([program, *(standard / "lib-dynload").glob("*.so"), *extensions])):
        # The loader has to be where the interpreter names it, the rest is found by LD_LIBRARY_PATH.
        where = str(library) if library.name.startswith("ld-linux") else f"{PREFIX}/lib/{library.name}"
        content.file(where, library.resolve(), mode=0o755)


def _libraries(programs: list[Path]) -> set[Path]:
    """The shared libraries that programs name, and those that these name, as the loader of this machine finds them."""
    found: set[Path] = set()
    for program in programs:
        said = subprocess.run(["ldd", program], capture_output=True, text=True, check=True).stdout
        found |= {Path(path) for path in re.findall(r"(/\S+) \(0x", said)}
    return {path for path in found if not path.is_relative_to(sys.prefix)}


def _add_application(content: Layer) -> None:
    for package in ("threeport", "agent"):
        for path in sorted((ROOT / package).rglob("*.py")):
            _add_module(content, f"app/{path.relative_to(ROOT)}", path)
    for each in _required("threeport", {}).values():
        for file in each.files or ():
            path = Path(str(each.locate_file(file)))
            if ".." not in file.parts and path.suffix != ".pyc" and path.is_file():
                _add_module(content, f"app/packages/{file}", path)


def _add_module(content: Layer, name: str, path: Path) -> None:
    """A file; beside a module that the agent loads also what it compiles to, or each start would take its time."""
    content.file(name, path)
    if path.suffix != ".py" or str(path) not in _loaded():
        return
    with TemporaryDirectory() as folder:
        compiled = py_compile.compile(
            str(path), f"{folder}/c", invalidation_mode=PycInvalidationMode.UNCHECKED_HASH, doraise=True
        )
        where = PurePosixPath(name)
        content.file(f"{where.parent}/__pycache__/{where.stem}.{sys.implementation.cache_tag}.pyc", Path(str(compiled)))


@cache_result
def _loaded() -> frozenset[str]:
    """The files of all modules that the agent has loaded when it starts."""
    told = "import sys, agent.__main__; print(*(str(m.__dict__.get('__file__')) for m in sys.modules.values()))"
    said = subprocess.run([sys.executable, "-c", told], cwd=ROOT, capture_output=True, text=True, check=True).stdout
    return frozenset(said.split())


def _required(name: str, known: dict[str, Distribution]) -> dict[str, Distribution]:
    """What a package requires to run, without the package itself."""
    for text in distribution(name).requires or ():
        wanted = Requirement(text)
        extras = [{"extra": extra} for extra in ("", *wanted.extras)]
        if wanted.name not in known and (not wanted.marker or any(map(wanted.marker.evaluate, extras))):
            known[wanted.name] = distribution(wanted.name)
            _required(wanted.name, known)
    return known


def _sources() -> Iterator[Path]:
    for package in ("threeport", "agent"):
        yield from sorted((ROOT / package).rglob("*.py"))


def _key() -> str:
    digest = hashlib.sha256(Path(__file__).read_bytes())
    for path in _sources():
        digest.update(path.read_bytes())
    return digest.hexdigest()[:12]


if __name__ == "__main__":
    print(write_agent_image())  # noqa: T201
