"""The plug-ins keep the contracts of their kinds."""

from attrsearch_haar.detector import Haar
from attrsearch_haar.terms import kept

from attrsearch import testing


class TestHaar(testing.DetectorContract):
    def make(self) -> Haar:
        return Haar(min_face=24)


class TestKept(testing.TermContract):
    def make(self) -> object:
        return kept
