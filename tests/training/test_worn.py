"""What recognisers are shown of edits in training: the shape of features, not strokes of a pixel."""

import torch

from attrsearch.training.identity import GRAIN, worn
from attrsearch.training.image_metrics import hatching


def test_strokes_of_a_pixel_are_not_seen() -> None:
    generator = torch.Generator().manual_seed(0)
    plain = torch.zeros(1, 3, 112, 112)
    strokes = plain.clone()
    strokes[..., ::2] = 0.8
    seen = worn(strokes, generator)
    # half of the columns at 0.8: grey, with grain that the generator draws
    assert abs(float(seen.mean()) - 0.4) < 0.01
    assert float(seen.std()) < 3 * GRAIN
    assert worn(strokes, None) is strokes


def test_chequers_are_measured_and_edges_are_not() -> None:
    place = torch.arange(16)
    chequers = ((place[:, None] + place) % 2).float().expand(1, 3, 16, 16)
    edge = (place < 8).float().expand(1, 3, 16, 16)
    assert float(hatching(chequers)) == 1.0
    assert float(hatching(edge)) == 0.0
