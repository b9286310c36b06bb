"""``attrsearch completion``: what makes a shell complete commands and options."""

import click


@click.command(
    epilog=(
        "Example: attrsearch completion bash > "
        "~/.local/share/bash-completion/completions/attrsearch"
    )
)
@click.argument("shell", type=click.Choice(["bash", "zsh", "fish"]))
@click.pass_context
def completion(context: click.Context, shell: str) -> None:
    """Print the completion script of a SHELL (bash from 4.4, zsh, fish)."""
    from click.shell_completion import get_completion_class

    kind = get_completion_class(shell)
    if kind is None:
        raise click.UsageError(f"No completion for {shell}.")

    click.echo(kind(context.find_root().command, {}, "attrsearch", "_ATTRSEARCH_COMPLETE").source())
