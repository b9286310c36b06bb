"""Why a face of footage is filtered instead of edited."""

from typing import Literal

Reason = Literal[
    "",
    "too small",
    "turned",
    "no landmarks",
    "hidden",
    "never seen well",
    "no feasible set",
    "not verified",
]
"""Why a face was not edited; empty where it was."""
