"""The supervisor of one local control plane: ``python -m threeport.bootstrap.local.supervisor DIRECTORY``.

It runs detached from any terminal, once per directory (a lock says so), and keeps the processes of the control plane
running: it starts them when what they need answers, starts them again when they end, and follows the settings, the
certificates and the files of agents, which change while it runs. SIGTERM or SIGINT stops everything in reverse order.

When it is killed its processes go on. The next supervisor ends them first, by what the last one wrote of them.
"""

from __future__ import annotations

import asyncio
import logging
import os
import signal
import sys
import time
from collections.abc import Collection
from contextlib import suppress
from pathlib import Path

import threeport
from threeport.bootstrap.configuration import renew_control_plane
from threeport.bootstrap.errors import BootstrapError
from threeport.bootstrap.files import Locked, lock
from threeport.bootstrap.local.components import Component, components
from threeport.bootstrap.local.installation import Installation, LocalSettings, usual_ports
from threeport.bootstrap.local.process_ids import identify
from threeport.bootstrap.local.processes import ServerFailed, free_port, is_free
from threeport.bootstrap.local.state import Phase, SupervisorState, read_state, write_state
from threeport.bootstrap.local.supervised import Supervised, end_leftover
from threeport.controller.installed import installed_controllers

logger = logging.getLogger("supervisor")

LOCK_SECONDS = 3.0
LOST_AFTER = 2
"""How often a component ends in a row before it counts that its port is not free: once may be its own last process."""

FOLLOW_SECONDS = 0.5
"""How often it looks whether the settings, the certificates or the files of agents have changed."""

SECONDS_OF_A_DAY = 86_400


class Supervisor:
    """Keeps the processes of one control plane as its settings want them."""

    def __init__(self, installation: Installation) -> None:
        self.installation = installation
        self._running: dict[str, Supervised] = {}
        process = identify(os.getpid())
        if process is None:
            raise BootstrapError("this system does not say when a process started (no /proc, no ps)")
        self._state = SupervisorState(supervisor=process, version=threeport.__version__)
        self._unwritten = False
        """Whether the state could not be written when it changed."""
        self._stopping = asyncio.Event()
        self._followed: dict[Path, int] = {}

    async def run(self) -> None:
        """Until SIGTERM or SIGINT."""
        loop = asyncio.get_running_loop()
        for number in (signal.SIGTERM, signal.SIGINT):
            loop.add_signal_handler(number, self._stopping.set)
        try:
            await asyncio.to_thread(self._take_over)
            while not self._stopping.is_set():
                await self._follow()
                if self._unwritten:
                    self._write_state()
                with suppress(TimeoutError):
                    async with asyncio.timeout(FOLLOW_SECONDS):
                        await self._stopping.wait()
        finally:
            await self._stop(list(reversed(self._running)))
            logger.info("stopped")

    def _take_over(self) -> None:
        """Ends what an earlier supervisor left, then makes sure of the ports, which it may have held."""
        before = read_state(self.installation)
        if before is not None:
            # In reverse order of start, so that the database is the last to go.
            for left in reversed(before.processes):
                end_leftover(left)
        settings = self.installation.read_settings()
        ports = _available(usual_ports(installed_controllers()) | settings.ports)
        if ports != settings.ports:
            self.installation.write_settings(settings.model_copy(update={"ports": ports}))

    async def _follow(self) -> None:
        """Starts what is wanted and does not run, and stops what runs and is wanted no more, or differently."""
        await asyncio.to_thread(self._leave_taken_ports)
        changes = self._changes()
        if changes == self._followed:
            return
        self._followed = changes
        wanted = {component.name: component for component in await asyncio.to_thread(self._wanted)}
        outdated = [
            name
            for name, running in self._running.items()
            if name not in wanted or wanted[name].fingerprint != running.component.fingerprint
        ]
        await self._stop(list(reversed(outdated)))
        for name, component in wanted.items():
            if name not in self._running:
                self._running[name] = Supervised(component, answering=self._answering, changed=self._write_state)
                self._running[name].start()
        if list(self._running) != list(wanted):
            self._running = {name: self._running[name] for name in wanted}
            self._write_state()

    def _leave_taken_ports(self) -> None:
        """What cannot start because another program took its port gets another one, and all who speak to it follow."""
        try:
            ports = self.installation.read_settings().ports
            taken = {name for name in self._ports_in_want() if not is_free(ports[name])}
            if not taken:
                return
            with lock(self.installation.change_lock, seconds=0):
                settings = self.installation.read_settings()
                ports = _available(settings.ports, only=taken)
                self.installation.write_settings(settings.model_copy(update={"ports": ports}))
        except Locked:
            return  # a command is changing this control plane: at the next look
        except OSError as error:  # a full disk must not end what runs
            logger.error("cannot give another port to what lost its own, trying again: %s", error)
            return
        if "api" in taken:
            renew_control_plane(self.installation.entry(), home=self.installation.directory.parent)

    def _ports_in_want(self) -> set[str]:
        """The ports of components that end each time they are started, unless an API process that shares it has it."""
        held = {running.component.port for running in self._running.values() if running.state.process}
        ending = {running.component.port for running in self._running.values() if running.failures >= LOST_AFTER}
        return ending - held - {""}

    def _changes(self) -> dict[Path, int]:
        """The files that say what should run, with the time of their last change (ns). That of the identities is the
        day: certificates that are about to expire are found within one."""
        installation = self.installation
        certificates = installation.identities.glob("*.crt")
        files = [installation.settings_file, *installation.agents.glob("*.json"), *certificates]
        changed = {file: file.stat().st_mtime_ns for file in files if file.exists()}
        return changed | {installation.identities: int(time.time() // SECONDS_OF_A_DAY)}

    def _wanted(self) -> list[Component]:
        try:
            return components(self.installation, self._read_settings())
        except (BootstrapError, ServerFailed, OSError) as error:
            if str(error) != self._state.message:
                logger.error("cannot read what should run, going on with what runs: %s", error)
            self._state.message = str(error)
            return [running.component for running in self._running.values()]

    def _read_settings(self) -> LocalSettings:
        settings = self.installation.read_settings()
        self._state.message = ""
        return settings

    async def _stop(self, names: list[str]) -> None:
        """Stops the processes one after the other, in the order given."""
        for name in names:
            await self._running[name].stop()
            if not self._stopping.is_set():
                del self._running[name]

    def _answering(self) -> set[str]:
        return {name for name, running in self._running.items() if running.state.phase == Phase.READY}

    def _write_state(self) -> None:
        self._state.processes = [running.state for running in self._running.values()]
        try:
            write_state(self.installation, self._state)
            self._unwritten = False
        except OSError as error:  # a full disk must not end what runs; commands see what was written last
            if not self._unwritten:
                logger.error("cannot say how the processes are, trying again: %s", error)
            self._unwritten = True


def _available(ports: dict[str, int], *, only: Collection[str] | None = None) -> dict[str, int]:
    """The ports that are remembered where they are free, others where they are taken; `only` says which to judge."""
    chosen = {name: port for name, port in ports.items() if only is not None and name not in only}
    for name, port in ports.items():
        if name in chosen:
            continue
        found = free_port(port)
        while found in chosen.values():
            found = free_port()
        if found != port:
            logger.info("port %d is taken by another program: %s gets port %d", port, name, found)
        chosen[name] = found
    return {name: chosen[name] for name in ports}


def main(directory: str) -> int:
    """Supervises the control plane in the directory; returns at once if another supervisor does."""
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(levelname)s %(message)s", stream=sys.stderr)
    os.umask(0o077)  # logs and data are for their owner
    path = Path(directory)
    installation = Installation(path.name, path)
    try:
        with lock(installation.supervisor_lock, seconds=LOCK_SECONDS):
            asyncio.run(Supervisor(installation).run())
    except Locked:
        logger.info("another supervisor runs here already")
    except BootstrapError as error:
        logger.error("%s", error)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1]))
