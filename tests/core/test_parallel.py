"""Batches side by side: the same results in the same order, one thread a network."""

import pytest
import torch

from attrsearch.core.parallel import in_parallel, network, one_thread, set_threads, threads


@pytest.mark.parametrize("count", [1, 2, 3])
def test_order_is_kept_and_torch_has_one_thread(count: int) -> None:
    before, outside = threads(), torch.get_num_threads()
    set_threads(count)
    try:
        assert in_parallel(lambda item: (item, torch.get_num_threads()), range(20)) == [
            (item, 1 if count > 1 else outside) for item in range(20)
        ]
        assert torch.get_num_threads() == outside
    finally:
        set_threads(before)


def test_nested_calls_do_not_wait_for_one_another() -> None:
    before = threads()
    set_threads(2)
    try:
        sums = in_parallel(lambda row: sum(in_parallel(abs, row)), [[-1, -2], [-3, -4], [5, -6]])
    finally:
        set_threads(before)
    assert sums == [3, 7, 11]


def test_an_error_reaches_the_caller() -> None:
    with pytest.raises(ZeroDivisionError):
        in_parallel(lambda item: 1 // item, [1, 0, 2])


def test_a_network_runs_on_one_thread_without_gradients() -> None:
    @network
    def run(weights: torch.Tensor) -> tuple[int, bool]:
        return torch.get_num_threads(), (weights * 2).requires_grad

    torch.set_num_threads(2)
    assert run(torch.ones(2, requires_grad=True)) == (1, False)
    assert torch.get_num_threads() == 2
    with one_thread():
        assert torch.get_num_threads() == 1
