"""The entry point: which commands there are, and what happens to their errors."""

from __future__ import annotations

import importlib
import io
import os
import sys
from collections.abc import Sequence
from difflib import get_close_matches

import click
from click.shell_completion import CompletionItem

from threeport.cli.errors import report
from threeport.cli.exit_codes import EXIT_CODES_HELP, ExitCode

_COMMANDS = {
    "up": ("up", "Start a control plane, or go on with one."),
    "down": ("down", "Stop a control plane; with --delete-data remove it."),
    "status": ("status", "Show the parts of the control plane and their health."),
    "control-plane": ("control_plane", "Look into the control plane (logs)."),
    "apply": ("apply", "Create or change objects from files, all or nothing."),
    "diff": ("diff", "Show what would change, here and in the clusters."),
    "get": ("get", "Show objects."),
    "describe": ("describe", "Show everything about an object."),
    "tree": ("tree", "Show an object and all that hangs on it, down to the pods."),
    "events": ("events", "Show what happened, here and in the clusters."),
    "logs": ("logs", "Show what the containers of a workload write."),
    "port-forward": ("port_forward", "Reach a port of a workload from this machine."),
    "delete": ("delete", "Delete objects, and wait until they are gone."),
    "wait": ("wait", "Wait until objects are ready, or gone."),
    "rollout": ("rollout", "Follow a change of a workload, see its revisions, go back."),
    "runtime": ("runtime", "Add Kubernetes clusters to run workloads on."),
    "config": ("config", "Choose between control planes; get a kubeconfig."),
    "version": ("version", "Show the versions of tptctl and of the API."),
    "completion": ("completion", "Print the completion script of a shell."),
}
"""Command -> (module below `threeport.cli.commands`, help). A module is imported when its command runs."""


class _Commands(click.Group):
    """A group whose commands are imported when they are called, so that start-up stays short."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        return list(_COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        if cmd_name not in _COMMANDS:
            return None
        module = importlib.import_module(f"threeport.cli.commands.{_COMMANDS[cmd_name][0]}")
        command: click.Command = module.command
        return command

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        if args and args[0] not in _COMMANDS and not args[0].startswith("-"):
            close = get_close_matches(args[0], _COMMANDS)
            ctx.fail(f"There is no command {args[0]!r}.{f' Did you mean {close[0]!r}?' if close else ''}")
        return super().resolve_command(ctx, args)

    def invoke(self, ctx: click.Context) -> object:
        try:
            return super().invoke(ctx)
        except BrokenPipeError:  # click would end with 1
            return _unread()

    def shell_complete(self, ctx: click.Context, incomplete: str) -> list[CompletionItem]:
        if incomplete.startswith("-"):
            return click.Command.shell_complete(self, ctx, incomplete)
        return [CompletionItem(name, help=text) for name, (_, text) in _COMMANDS.items() if name.startswith(incomplete)]

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        with formatter.section("Commands"):
            formatter.write_dl([(name, text) for name, (_, text) in _COMMANDS.items()])


@click.command(
    cls=_Commands,
    epilog=EXIT_CODES_HELP,
    context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 110},
)
def cli() -> None:
    """Deliver applications with everything they need, over any number of clusters.

    Start with `tptctl up`, then `tptctl apply -f FILE`.
    """


def run(arguments: Sequence[str]) -> int:
    """Runs one command line and returns its exit code."""
    try:
        code = cli.main(args=list(arguments), prog_name="tptctl", standalone_mode=False)
        sys.stdout.flush()
        return int(code or ExitCode.OK)
    except click.exceptions.NoArgsIsHelpError as error:
        error.show()
        return ExitCode.USAGE
    except click.ClickException as error:
        error.show()
        return ExitCode.USAGE
    except (KeyboardInterrupt, click.Abort):
        click.echo("\nInterrupted. What was started goes on; run the command again to continue.", err=True)
        return ExitCode.INTERRUPTED
    except BrokenPipeError:
        return _unread()
    except Exception as error:
        return report(error)


def _unread() -> ExitCode:
    """The reader of our output has left (`tptctl get ... | head`). Python would complain again at exit."""
    os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
    return ExitCode.OK


def main() -> None:
    """``tptctl``."""
    if isinstance(sys.stdout, io.TextIOWrapper):
        sys.stdout.reconfigure(errors="replace")  # what an old terminal cannot show is no reason to fail
    sys.exit(run(sys.argv[1:]))
