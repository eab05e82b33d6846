"""Which thread holds which weights of a product with layouts."""

from __future__ import annotations

import itertools

import pytest

pytest.importorskip("torch")
pytest.importorskip("triton")

from lawqa.models.kernels.nf4_products import gluon_obstacle

pytestmark = [pytest.mark.torch, pytest.mark.skipif(gluon_obstacle() is not None, reason="Gluon")]


def reached(bases: list[list[int]]) -> list[tuple[int, ...]]:
    """Every place that a sum of bases reaches."""
    places = []
    for chosen in itertools.product((0, 1), repeat=len(bases)):
        place = [0, 0, 0]
        for base, taken in zip(bases, chosen, strict=True):
            place = [at ^ (step * taken) for at, step in zip(place, base, strict=True)]
        places.append(tuple(place))
    return places


@pytest.mark.parametrize(("wide", "warps"), [(64, 4), (128, 8), (128, 4)])
@pytest.mark.parametrize("depth", [128, 256])
@pytest.mark.parametrize("warpgroups", [True, False])
def test_every_word_is_held_once_by_the_thread_that_multiplies_it(
    wide: int, warps: int, depth: int, *, warpgroups: bool
) -> None:
    from lawqa.models.kernels.gluon_nf4 import layouts

    words, sums = layouts(wide, 64, depth, warps, warpgroups=warpgroups)
    bases = (words.reg_bases, words.lane_bases, words.warp_bases)
    assert [len(each) for each in bases[1:]] == [5, warps.bit_length() - 1]
    held = reached([base for each in bases for base in each])
    assert sorted(held) == list(itertools.product(range(wide), range(depth // 64), range(8)))
    # PTX ISA, fragments of A of m16n8k16: thread 4 r + q of a warp has columns 2q, 2q + 1, 2q + 8 and 2q + 9
    # of rows r and r + 8, of every 16 columns.
    for lane in range(32):
        row, quad = divmod(lane, 4)
        own = [base for bit, base in enumerate(words.lane_bases) if lane >> bit & 1]
        first = tuple(map(sum, zip([0, 0, 0], *own, strict=True)))
        columns = {
            (8 * (first[1] ^ block) + (first[2] ^ word)) % 16
            for _, block, word in reached(words.reg_bases)
        }
        assert first[0] == row
        assert columns == {2 * quad, 2 * quad + 1, 2 * quad + 8, 2 * quad + 9}
    assert list(sums.version) == ([3, 0] if warpgroups else [2, 0])
    assert list(sums.warps_per_cta) == [warps, 1]
