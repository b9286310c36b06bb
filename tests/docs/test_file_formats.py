"""The reference of file formats names what the code reads and writes, all of it and nothing else."""

import re
from pathlib import Path

import pyarrow as pa
import pytest
from pydantic import BaseModel

from attrsearch.core.attributes import ATTRIBUTES
from attrsearch.core.recipes.objective import Aggregation, Constraint, Goal, Objective
from attrsearch.core.recipes.space import Space
from attrsearch.core.recipes.study import (
    PreFilter,
    Sampler,
    Stopping,
    Study,
    Surrogate,
    Verification,
    Workers,
)
from attrsearch.evaluation.gate import Limit
from attrsearch.faces.recognition.calibration import Calibration
from attrsearch.runs.attributes_file import PersonRecord
from attrsearch.runs.person_part import HELDBACK_COLUMNS
from attrsearch.runs.trials_file import PREDICTION_SCHEMA, TRIAL_SCHEMA
from attrsearch.video.coverage import SCHEMA

PAGE = (Path(__file__).parents[2] / "docs" / "file-formats.md").read_text(encoding="utf-8")
NAME = re.compile(r"`([^`]+)`")


def section(heading: str) -> str:
    """The text below a heading, up to the next one of its rank or above."""
    rank = len(heading) - len(heading.lstrip("#"))
    after = PAGE.split(f"\n{heading}\n", 1)[1]
    return re.split(rf"\n#{{1,{rank}}} ", after, maxsplit=1)[0]


def first_cells(text: str) -> list[str]:
    """Names in the first cells of the tables of a text, in order, ``a … b`` written out."""
    rows = [line for line in text.splitlines() if line.startswith("| `")]
    names: list[str] = []
    for row in rows:
        cell = row.split("|")[1]
        found = NAME.findall(cell)
        if "…" in cell:
            prefix = found[0].partition("_")[0]
            found = [f"{prefix}_{name}" for name in ATTRIBUTES]
        names += found
    return names


@pytest.mark.parametrize(
    ("heading", "schema"),
    [
        ("## trials.parquet", TRIAL_SCHEMA),
        ("## surrogate.parquet", PREDICTION_SCHEMA),
        ("## coverage.parquet", SCHEMA),
    ],
)
def test_columns_are_those_of_the_tables(heading: str, schema: pa.Schema) -> None:
    text = section(heading)
    assert first_cells(text) == schema.names
    kinds = {name: str(schema.field(name).type) for name in schema.names}
    for row in [line for line in text.splitlines() if line.startswith("| `")]:
        name, kind = NAME.findall(row.split("|")[1])[0], row.split("|")[2].strip()
        assert kinds[name] == kind, name


def test_the_export_and_the_summary() -> None:
    fields = list(PersonRecord.model_fields)
    assert first_cells(section("## attributes.json")) == fields
    passes = [f"{which}_{name}" for which in ("first", "second") for name in ATTRIBUTES]
    flat = ["id", "gender", "feasible", *passes]
    flat += [name for name in fields if name not in (*flat, "first_pass", "second_pass")]
    assert first_cells(section("## summary.csv")) == [*flat, *HELDBACK_COLUMNS]


TABLES: dict[str, type[BaseModel]] = {
    "sampler": Sampler,
    "surrogate": Surrogate,
    "stopping": Stopping,
    "verification": Verification,
    "workers": Workers,
    "prefilter": PreFilter,
}


def test_study_recipes() -> None:
    text = section("### Study")
    main, *parts = re.split(r"\n`\[(\w+)\]`", text)
    own = set(first_cells(main)) | {"format", "version"} | set(TABLES)
    assert own == set(Study.model_fields)
    found = dict(zip(parts[::2], parts[1::2], strict=True))
    assert set(found) == set(TABLES)
    for name, part in found.items():
        assert first_cells(part) == list(TABLES[name].model_fields), name


@pytest.mark.parametrize("model", [Study, Sampler, Surrogate, Stopping, Verification, Workers])
def test_defaults_of_studies(model: type[BaseModel]) -> None:
    text = section("### Study")
    for name, field in model.model_fields.items():
        value = field.default
        if isinstance(value, bool):
            shown = str(value).lower()
        elif isinstance(value, int | float):
            shown = str(value)
        elif isinstance(value, str) and value:
            shown = f"`{value}`"
        else:
            continue
        assert re.search(rf"^\| `{name}` \| {re.escape(shown)} \|", text, re.MULTILINE), name


def test_objectives_spaces_gates_and_calibrations() -> None:
    objective = section("### Objective")
    named = set(NAME.findall(objective))
    assert {"name", "description", "ensemble", "[[maximise]]", "[terms.TERM]"} <= named
    parts: tuple[type[BaseModel], ...] = (Goal, Aggregation, Constraint)
    for model in parts:
        assert set(model.model_fields) <= named
    assert set(Objective.model_fields) <= named | {
        *("format", "version", "maximise", "terms", "constraints")
    }
    space = set(NAME.findall(section("### Space"))) | {"format", "version", "male", "female"}
    assert set(Space.model_fields) <= space
    gate = section("## Gate")
    assert [name for name in Limit.model_fields if name not in gate] == []
    calibration = set(re.findall(r'^ "(\w+)":', section("## Calibration"), re.MULTILINE))
    assert calibration == set(Calibration.model_fields)
