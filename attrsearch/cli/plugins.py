"""``attrsearch plugins``, and options that take what is built in or a plug-in's name."""

from typing import Any

import click

from attrsearch.cli.console import json_option, print_json, say


class PlugInChoice(click.Choice[str]):
    """A choice of what is built in, and of plug-ins of a kind."""

    def __init__(self, kind: str, built_in: tuple[str, ...]) -> None:
        super().__init__(built_in)
        self._kind = kind

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> str:
        """The name, where there is such a one."""
        if value not in self.choices:
            from attrsearch.core.plugins import find

            if find(self._kind, str(value)) is not None:
                return str(value)

        return super().convert(value, param, ctx)


@click.command(epilog="Example: attrsearch plugins --check")
@click.option("--check", is_flag=True, help="Load each; exit code 1 if one cannot be.")
@json_option
@click.pass_context
def plugins(context: click.Context, check: bool, as_json: bool) -> None:
    """List what other packages bring: kind, name, package."""
    from attrsearch.core.errors import AttrsearchError
    from attrsearch.core.plugins import loaded, plug_ins

    rows = []
    wrong = 0

    for found in plug_ins():
        row = {"kind": found.kind, "name": found.name, "package": found.package}
        if check:
            row["problem"] = ""
            try:
                loaded(found.kind, found.name)
            except AttrsearchError as error:
                row["problem"] = str(error)
                wrong += 1

        rows.append(row)

    if as_json:
        print_json({"plugins": rows})

    for row in rows if not as_json else []:
        click.echo(f"{row['kind']:12} {row['name']:20} {row['package']}")
        if row.get("problem"):
            say(row["problem"])

    if not rows and not as_json:
        say(
            "no plug-ins: a package names them in its entry points, in groups such as "
            "attrsearch.detector"
        )

    context.exit(1 if wrong else 0)
