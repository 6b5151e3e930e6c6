"""The ``trapjaw`` command. What it can do comes from the entry points of the group ``trapjaw.commands``.

Each entry point is one command: its name, and the function that typer makes the command from. So this file needs no part of the
project that is not installed, and a part whose own needs are missing says so in one line.
"""

import sys
from collections.abc import Callable, Iterable
from importlib import metadata
from importlib.metadata import EntryPoint
from typing import Annotated

import typer

GROUP = "trapjaw.commands"
OURS = ("host", "hw", "sim", "bitstreams")
MISSING = 2


def make_app(commands: Iterable[EntryPoint]) -> typer.Typer:
    """The command with these subcommands."""
    app = typer.Typer(name="trapjaw", no_args_is_help=True, add_completion=False, pretty_exceptions_show_locals=False)
    app.callback()(_options)
    for command in sorted(commands, key=lambda command: command.name):
        try:
            function = command.load()
        except ModuleNotFoundError as error:
            if _is_ours(error):
                raise
            app.command(command.name, help=_missing(command.name, error),
                        context_settings={"ignore_unknown_options": True, "allow_extra_args": True})(_stub(command.name, error))
        else:
            app.command(command.name)(function)
    return app


def main() -> None:
    """Runs the command; a tool that is missing is one line, also when it is noticed late."""
    app = make_app(metadata.entry_points(group=GROUP))
    try:
        app()
    except ModuleNotFoundError as error:
        if _is_ours(error):
            raise
        typer.echo(_missing(" ".join(sys.argv[1:2]), error), err=True)
        sys.exit(MISSING)


def _show_version(wanted: bool) -> None:
    if not wanted:
        return
    try:
        typer.echo(f"trapjaw {metadata.version('trapjaw')}")
    except metadata.PackageNotFoundError:
        typer.echo("trapjaw (not installed)")
    raise typer.Exit


def _options(
    version: Annotated[bool, typer.Option("--version", callback=_show_version, is_eager=True, help="Show the version and leave.")] = False,
) -> None:
    """An open, FPGA-first trading system: market data in, risk-checked orders out, in hardware."""


def _stub(command: str, error: ModuleNotFoundError) -> Callable[[typer.Context], None]:
    def stub(context: typer.Context) -> None:
        typer.echo(_missing(command, error), err=True)
        raise typer.Exit(MISSING)

    return stub


def _missing(command: str, error: ModuleNotFoundError) -> str:
    return f"trapjaw {command} needs {(error.name or 'a module').split('.')[0]}, which is not installed: pip install 'trapjaw[hdl]'"


def _is_ours(error: ModuleNotFoundError) -> bool:
    """A module of the project itself is missing: a mistake, to be seen whole."""
    return (error.name or "").split(".")[0] in OURS


if __name__ == "__main__":
    main()
