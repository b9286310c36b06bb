"""Options that fill settings: every field has one, with the field's default."""

from pathlib import Path
from typing import Any

import click
import pytest
from click.testing import CliRunner

from attrsearch.anonymise.config import ApplyConfig
from attrsearch.cli import apply, video_options
from attrsearch.cli import run as command
from attrsearch.cli.fields import Options, fill
from attrsearch.core.errors import RecipeError
from attrsearch.core.recipes.base import Recipe
from attrsearch.search.config import Execution, RunConfig
from attrsearch.video.config import VideoConfig


def parsed(options: Options, *words: str) -> dict[str, Any]:
    """The values of options on a command line."""
    found: dict[str, Any] = {}
    bare: Any = lambda **given: found.update(given)  # noqa: E731
    for option in options.values():
        bare = option(bare)
    click.command()(bare).main(args=list(words), standalone_mode=False)
    return found


def test_every_field_of_a_run_has_an_option() -> None:
    assert command.read_config(parsed(command.CONFIG)) == dict(RunConfig())
    assert set(command.CONFIG) - {"people_file"} == set(RunConfig.model_fields)
    assert parsed(command.EXECUTION) == dict(Execution())


def test_every_field_of_footage_has_an_option() -> None:
    assert parsed({**video_options.OPTIONS, **video_options.WHO}) == dict(VideoConfig())
    assert parsed(apply.OPTIONS) == dict(ApplyConfig())


def test_values_become_a_model() -> None:
    seen: list[Recipe] = []

    @click.command()
    @fill("execution", "attrsearch.search.config:Execution", command.EXECUTION)
    def work(execution: Execution) -> None:
        seen.append(execution)

    done = CliRunner().invoke(work, ["--jobs", "3", "--shard", "1/2"])
    assert done.exit_code == 0
    assert seen == [Execution(jobs=3, shard="1/2")]


def test_a_value_the_field_refuses_is_one_line() -> None:
    @click.command()
    @fill(
        "execution",
        "attrsearch.search.config:Execution",
        {"jobs": click.option("--jobs", type=int)},
    )
    def work(execution: Execution) -> None:
        raise AssertionError(execution)

    with pytest.raises(RecipeError, match="command line, jobs: needs a valid value"):
        work.main(args=["--jobs", "0"], standalone_mode=False)


def test_people_of_a_file_join_those_named(tmp_path: Path) -> None:
    file = tmp_path / "people.txt"
    file.write_text("cadet\n\npilot\n")
    given = parsed(command.CONFIG, "--person", "ann", "--people", str(file))
    assert command.read_config(given)["people"] == ("ann", "cadet", "pilot")
