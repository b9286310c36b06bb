"""``attrsearch``: the commands, and how errors end."""

import sys
import traceback
import warnings
from collections.abc import Sequence
from importlib import import_module

import click

from attrsearch import __version__
from attrsearch.cli.anonymise import anonymise
from attrsearch.cli.apply import apply
from attrsearch.cli.attack import attack
from attrsearch.cli.bench import bench
from attrsearch.cli.calibrate import calibrate
from attrsearch.cli.choose import choose
from attrsearch.cli.completion import completion
from attrsearch.cli.console import Stopped
from attrsearch.cli.dashboard import dashboard
from attrsearch.cli.demo import demo
from attrsearch.cli.encryption import scrub
from attrsearch.cli.evaluate import evaluate
from attrsearch.cli.exit_codes import DONE, FAULT, INTERRUPTED, RULE, WRONG_USE
from attrsearch.cli.grade import grade
from attrsearch.cli.logs import EVERY, LOG, showing_logs
from attrsearch.cli.models import models
from attrsearch.cli.plugins import plugins
from attrsearch.cli.results import compare, export, report
from attrsearch.cli.run import run
from attrsearch.cli.runs import check, merge
from attrsearch.cli.studio import studio
from attrsearch.cli.train import train
from attrsearch.cli.train_checks import accuracy, evaluate_editor, judge, truths
from attrsearch.cli.train_restoring import parsing, prepare_tight, restoring
from attrsearch.core.allocation import keep_freed_memory
from attrsearch.core.compute import compute_with
from attrsearch.core.errors import AttrsearchError, printable

HELP = """Search the facial attribute edits that anonymise people, and apply them.

\b
attrsearch demo                                      the main job on a bundled sample
attrsearch run FACES --out RUN                       one study per person
attrsearch apply PICTURES --attributes RUN/attributes.json --out OUT
attrsearch anonymise VIDEO --out OUT                 find the people, search, cover
"""


@click.group(
    help=HELP,
    epilog=RULE,
    context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100},
)
@click.version_option(__version__, prog_name="attrsearch")
def cli() -> None:
    """All commands."""


COMMANDS = (
    *(run, export, apply, anonymise, report, dashboard, studio, choose, compare, evaluate, attack),
    *(calibrate, train, grade, models, bench, demo),
    *(check, merge, scrub, plugins, completion),
)
PLUG_INS = ("attrsearch.experiments.cli:reproduce",)
"""Commands of rooms that stand on this one, as module:name."""

for command in COMMANDS:
    cli.add_command(command)
for part in (prepare_tight, parsing, restoring, evaluate_editor, accuracy, truths, judge):
    train.add_command(part)
for place in PLUG_INS:
    module, _, name = place.partition(":")
    cli.add_command(getattr(import_module(module), name))


def main(arguments: Sequence[str] | None = None) -> int:
    """Run a command; errors a user can mend end as one line on stderr."""
    # several commands may run in one process, in tests and notebooks: each begins anew
    LOG.json = LOG.quiet = LOG.verbose = False
    LOG.names = set()
    LOG.roots = ()
    LOG.every = EVERY
    compute_with("auto", "torch")

    # libraries warn about themselves; whoever asks Python for warnings gets them
    if not sys.warnoptions:
        warnings.simplefilter("ignore")

    try:
        with showing_logs():
            code = cli.main(args=arguments, prog_name="attrsearch", standalone_mode=False)
    except AttrsearchError as error:
        _say(str(error))
        for line in error.details:
            click.echo(LOG.line("error", line) if LOG.json else f"  {printable(line)}", err=True)

        return WRONG_USE
    except click.UsageError as error:
        command = error.ctx.command_path if error.ctx else "attrsearch"
        _say(f"{error.format_message()} Type: {command} --help")
        return WRONG_USE
    except click.ClickException as error:
        _say(error.format_message())
        return WRONG_USE
    except (KeyboardInterrupt, click.Abort) as error:
        # click turns Ctrl+C into its own Abort
        cause = error if isinstance(error, Stopped) else error.__context__
        _say(str(cause) if isinstance(cause, Stopped) else "stopped")
        return INTERRUPTED
    # whoever read the output has seen enough of it, as head does
    except BrokenPipeError:
        return INTERRUPTED

    return code if isinstance(code, int) else DONE


def _say(line: str) -> None:
    click.echo(LOG.line("error", line) if LOG.json else f"attrsearch: {line}", err=True)


def entry() -> None:
    """The console script."""
    # only threads that start after it use the arena that keeps memory
    keep_freed_memory()

    try:
        code = main()
    # what nobody foresaw must not look like people who are missing
    except Exception:
        traceback.print_exc()
        code = FAULT

    sys.exit(code)


if __name__ == "__main__":
    entry()
