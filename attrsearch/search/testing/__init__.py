"""Contracts: what every plug-in of a kind must do, as test classes for pytest.

A package that brings a plug-in subclasses the contract of its kind in its tests; what is broken
fails with one line that names the method::

    from attrsearch import testing

    class TestMine(testing.DetectorContract):
        def make(self):
            return MyDetector(min_face=24)
"""

from attrsearch.search.testing.base import Contract, sample_pictures
from attrsearch.search.testing.functions import (
    AggregationContract,
    ExporterContract,
    FallbackContract,
    PreFilterContract,
    SamplerContract,
    TermContract,
)
from attrsearch.search.testing.models import (
    ClassDetectorContract,
    DetectorContract,
    EditorContract,
    JudgeContract,
    RecogniserContract,
)

CONTRACTS: dict[str, type[Contract]] = {
    "detector": DetectorContract,
    "recogniser": RecogniserContract,
    "term": TermContract,
    "sampler": SamplerContract,
    "prefilter": PreFilterContract,
    "fallback": FallbackContract,
    "judge": JudgeContract,
    "exporter": ExporterContract,
    "editor": EditorContract,
    "aggregation": AggregationContract,
}
"""The contract of every kind."""

__all__ = [
    "CONTRACTS",
    "AggregationContract",
    "ClassDetectorContract",
    "Contract",
    "DetectorContract",
    "EditorContract",
    "ExporterContract",
    "FallbackContract",
    "JudgeContract",
    "PreFilterContract",
    "RecogniserContract",
    "SamplerContract",
    "TermContract",
    "sample_pictures",
]
