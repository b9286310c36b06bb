"""Steps reach whoever asked, under the name and with the numbers they should have."""

from attrsearch.core.progress import Step, named, silent, staged


def test_counts_of_a_stage_are_steps() -> None:
    told: list[Step] = []
    tell = staged(told.append, "find", 2)
    tell(1)
    tell(2)
    assert told == [
        Step(stage="find", count=1, total=2),
        Step(stage="find", count=2, total=2),
    ]


def test_a_part_has_the_name_of_the_whole() -> None:
    told: list[Step] = []
    named(told.append, "originals")(Step(stage="read", count=3, total=4))
    assert told == [Step(stage="originals", count=3, total=4)]


def test_nobody_has_to_listen() -> None:
    staged(named(silent, "all"), "find")(1)
