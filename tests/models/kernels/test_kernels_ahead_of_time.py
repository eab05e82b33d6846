"""Every Triton kernel, at every tile it may choose, compiled for cards that are not at hand.

Triton's compiler needs no card, so this runs wherever Triton is installed. The kernels' own launching code
runs over empty tensors with the launch itself taken out; what it would have launched is compiled.
"""

from __future__ import annotations

import itertools
import os
import re
import subprocess
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import Any

import pytest

torch = pytest.importorskip("torch")
triton = pytest.importorskip("triton")

pytestmark = [pytest.mark.torch, pytest.mark.slow]

SHARED_KIB = {80: 163, 86: 99, 89: 99, 90: 227}
"""Shared memory that one program may have, by compute capability."""
SPILLED_BYTES = 8
"""Of local memory a thread; only a norm after 8 partial sums has any, on 8.0."""
SPILLED_BYTES_PRODUCTS = 128
"""The same of 4-bit products with an adapter of a high rank: behind the loop over the inputs."""
SPILLED_BYTES_CAPPED = 32
"""The same of attention with capped scores, whose heads of 256 numbers fill the registers of 9.0 in the pass
back to queries."""
MULTIPROCESSORS = {80: (14, 108), 86: (68, 82), 89: (76, 128), 90: (16, 60, 132)}
"""Of cards and of slices of cards."""
MODELS = {
    # hidden, intermediate, heads, key and value heads, numbers of a head
    "Qwen3-1.7B": (2048, 6144, 16, 8, 128), "Qwen3-8B": (4096, 12288, 32, 8, 128),
    "Qwen2.5-1.5B": (1536, 8960, 12, 2, 128), "Llama-3.2-1B": (2048, 8192, 32, 8, 64),
    "Gemma-3-4B": (2560, 10240, 8, 4, 256), "Gemma-3-270M": (640, 2048, 4, 1, 256),
}  # fmt: skip
ROWS = (1, 8, 16, 17, 32, 64, 128, 192)
MOST_PRODUCTS = 70
"""Compilations of seconds each."""


@dataclass(frozen=True)
class Launch:
    """A kernel as one launch specialises it."""

    module: str
    name: str
    types: tuple[tuple[str, str], ...]
    constants: tuple[tuple[str, Any], ...]
    aligned: tuple[str, ...]
    """Pointers, and whole numbers that are multiples of 16: what a launch declares to the compiler."""
    options: tuple[tuple[str, Any], ...]

    def __str__(self) -> str:
        return f"{self.name} {dict(self.constants)} {dict(self.options)}"


_TYPES = {"bfloat16": "*bf16", "float16": "*fp16", "float32": "*fp32", "int8": "*i8",
          "int32": "*i32", "int64": "*i64", "uint8": "*u8"}  # fmt: skip


def empty(*shape: int, dtype: Any = None) -> Any:
    """A tensor without content: what is launched never runs."""
    return torch.empty(shape, dtype=dtype or torch.float32, device="meta")


def type_of(value: Any) -> str:
    if torch.is_tensor(value):
        return _TYPES[str(value.dtype).removeprefix("torch.")]
    return "i32" if isinstance(value, int) else "fp32"


def _is_one(value: Any) -> bool:
    return isinstance(value, int) and value == 1


def _even(value: Any) -> bool:
    return isinstance(value, int) and value % 16 == 0


@pytest.fixture
def launches(monkeypatch: pytest.MonkeyPatch) -> list[Launch]:
    """What would have been launched since."""
    recorded: list[Launch] = []

    def run(self: Any, *arguments: Any, grid: Any = None, warmup: Any = None, **named: Any) -> None:
        del grid, warmup
        known = ("num_warps", "num_stages", "enable_fp_fusion", "maxnreg")
        options = {key: named.pop(key) for key in known if key in named}
        given = dict(zip(self.arg_names, arguments, strict=False))
        # As Triton's launcher: a 1 is a constant, and torch's allocator aligns what tensors hold.
        named.update({key: 1 for key, value in given.items() if _is_one(value)})
        types = {key: type_of(value) for key, value in given.items() if not _is_one(value)}
        aligned = (key for key in types if torch.is_tensor(given[key]) or _even(given[key]))
        recorded.append(
            Launch(self.fn.__module__, self.fn.__name__, tuple(types.items()),
                   tuple(named.items()), tuple(aligned), tuple(options.items()))
        )  # fmt: skip

    from triton.runtime.jit import JITFunction

    monkeypatch.setattr(JITFunction, "run", run)
    return recorded


def resources(launch: Launch, capability: int) -> tuple[int, int]:
    """Bytes of shared memory a program, and of spilled registers a thread."""
    import importlib

    from triton.backends.compiler import GPUTarget

    kernel = getattr(importlib.import_module(launch.module), launch.name)
    types, constants = dict(launch.types), dict(launch.constants)
    signature = {name: types.get(name, "constexpr") for name in kernel.arg_names}
    source = _source_of(kernel)(
        fn=kernel, signature=signature,
        constexprs={(kernel.arg_names.index(key),): value for key, value in constants.items()},
        attrs={
            (kernel.arg_names.index(key),): [["tt.divisibility", 16]] for key in launch.aligned
        },
    )  # fmt: skip
    compiled = triton.compile(
        source, target=GPUTarget("cuda", capability, 32), options=dict(launch.options)
    )
    return int(compiled.metadata.shared), spilled(compiled.asm["cubin"], capability)


def _source_of(kernel: Any) -> Any:
    """What Triton's compiler takes a kernel as."""
    from triton.compiler import ASTSource

    if not hasattr(kernel, "is_gluon") or not kernel.is_gluon():
        return ASTSource
    from triton.experimental.gluon._runtime import GluonASTSource

    return GluonASTSource


def spilled(binary: bytes, capability: int) -> int:
    """Bytes of the stack frame, which Triton's kernels have only for registers that do not fit."""
    tools = Path(triton.__file__).parent / "backends" / "nvidia" / "bin"
    target = Path(os.environ.get("TMPDIR", "/tmp")) / f"{os.getpid()}-{capability}.cubin"  # noqa: S108
    target.write_bytes(binary)
    try:
        said = subprocess.run(  # noqa: S603 - Triton's own tool
            [tools / "cuobjdump", "--dump-resource-usage", target],
            capture_output=True, text=True, check=True,
        ).stdout  # fmt: skip
    finally:
        target.unlink()
    found = re.search(r"STACK:(\d+)", said)
    assert found, said
    return int(found[1])


def problems(spilled_bytes: int, launch: Launch, capability: int) -> str | None:
    try:
        shared, local = resources(launch, capability)
    # Whatever the compiler raises is what the test is for.
    except Exception as problem:  # noqa: BLE001
        return f"{capability}: {launch}: {type(problem).__name__}: {str(problem)[:300]}"
    if shared > SHARED_KIB[capability] * 1024 or local > spilled_bytes:
        return f"{capability}: {launch}: {shared} bytes shared, {local} spilled"
    return None


def assert_compiled(jobs: list[tuple[Launch, int]], spilled_bytes: int = SPILLED_BYTES) -> None:
    jobs = list(dict.fromkeys(jobs))
    assert jobs
    with ProcessPoolExecutor(min(16, os.cpu_count() or 1)) as pool:
        found = list(pool.map(partial(problems, spilled_bytes), *zip(*jobs, strict=True)))
    assert not [each for each in found if each]


@pytest.mark.parametrize("dtype", ["bfloat16", "float16"])
def test_elementwise(launches: list[Launch], dtype: str) -> None:
    from lawqa.models.kernels.triton_elementwise import (
        TritonElementwise,
        add_norm_in_planes,
        swiglu_in_planes,
    )

    fused, half = TritonElementwise(), getattr(torch, dtype)
    models = MODELS if dtype == "bfloat16" else {"Qwen3-1.7B": MODELS["Qwen3-1.7B"]}
    for hidden, intermediate, heads, kv_heads, dim in models.values():
        x, up = empty(2, hidden, dtype=half), empty(2, intermediate, dtype=half)
        both = empty(2, 2 * intermediate, dtype=half)
        cos = empty(2, dim // 2, dtype=half)
        for kind in (half, torch.float32):
            weight, head_weight = empty(hidden, dtype=kind), empty(dim, dtype=kind)
            fused.add_norm(x, x, weight, 1e-6)
            fused.add_norm(x, None, weight, 1e-6)
            _, inverse = fused.norm(x, weight, 1e-6)
            fused.norm_backward(x, x, weight, inverse, x)
            fused.norm_backward(x, x, weight, inverse, None)
            for count in {heads, kv_heads}:
                rows = empty(2, count, dim, dtype=half)
                for each in (head_weight, None):
                    fused.norm_rotate(rows, each, cos, cos, 1e-6)
                    fused.norm_rotate_once(rows, each, cos, cos, 1e-6)
                    fused.norm_rotate_backward(rows, rows, each, cos, cos, 1e-6, rows)
        for activation in ("silu", "gelu_tanh"):
            fused.glu_joined(both, activation)
            fused.glu_backward(both, up, activation)
        fused.swiglu(up, up)
        fused.dropout(x, 0.1, 1)
        fused.add_dropped(x, x, 0.1, 1)
        for parts in range(1, 9):
            kind = half if parts == 1 else torch.float32
            add_norm_in_planes(
                x, empty(parts, 2, hidden, dtype=kind), empty(hidden, dtype=half), 1e-6
            )
            swiglu_in_planes(empty(parts, 2, 2 * intermediate, dtype=kind), half)
    assert_compiled([(launch, capability) for launch in launches for capability in SHARED_KIB])


@pytest.mark.parametrize("dtype", ["bfloat16", "float16"])
def test_unpacking(launches: list[Launch], dtype: str) -> None:
    from bitsandbytes.functional import QuantState

    from lawqa.models.kernels.triton_unpack import unpack_rows

    half = getattr(torch, dtype)
    nested = QuantState(absmax=empty(8), blocksize=256, code=empty(256))
    for hidden, intermediate, *_ in MODELS.values():
        for columns, rank, behind in itertools.product(
            (hidden, intermediate), (0, 4, 16, 64), (1, 3)
        ):
            for double in (True, False):
                weight = empty(8 * columns // 2, 1, dtype=torch.uint8)
                weight.quant_state = QuantState(
                    absmax=empty(8, dtype=torch.uint8 if double else None), shape=(8, columns),
                    code=empty(16), blocksize=64, quant_type="nf4", dtype=half,
                    offset=empty() if double else None, state2=nested if double else None,
                )  # fmt: skip
                extra = -(-rank * behind // 64) * 64
                out = empty(8, columns + extra, dtype=half)
                unpack_rows(weight, out, empty(8, rank, dtype=half) if rank else None, 0)
    assert_compiled([(launch, capability) for launch in launches for capability in SHARED_KIB])


@pytest.mark.parametrize("dtype", ["bfloat16", "float16"])
def test_attention_over_pages(launches: list[Launch], dtype: str) -> None:
    from lawqa.models.kernels.pages import Pages
    from lawqa.models.kernels.triton_attention import attend_pages, pick_splits, rotate_and_store

    jobs, half = [], getattr(torch, dtype)
    for capability, counts in MULTIPROCESSORS.items():
        for _, _, heads, kv_heads, dim in MODELS.values():
            splits = {pick_splits(rows, kv_heads, count) for rows in ROWS for count in counts}
            tables = empty(2, 2, dtype=torch.int32)
            positions = empty(2, dtype=torch.int64)
            cos = empty(2, dim // 2, dtype=half)
            scales = empty(128, kv_heads, dtype=torch.float32)
            plain, whole = (empty(128, kv_heads, dim, dtype=t) for t in (half, torch.int8))
            both = Pages(plain, plain), Pages(whole, whole, scales, scales)
            before = len(launches)
            for parts, pages in itertools.product(range(1, 9), both):
                kind = half if parts == 1 else torch.float32
                rotate_and_store(
                    empty(parts, 2, (heads + 2 * kv_heads) * dim, dtype=kind), cos, cos,
                    (cos, cos), pages, tables, positions, heads=heads, page=64, eps=1e-6,
                )  # fmt: skip
            for each, pages in itertools.product(splits, both):
                attend_pages(
                    empty(2, heads, dim, dtype=half), pages, tables, positions,
                    page=64, splits=each,
                )  # fmt: skip
            jobs += [(launch, capability) for launch in launches[before:]]
    assert_compiled(jobs)


def test_attention_with_capped_scores(launches: list[Launch]) -> None:
    from lawqa.models.attention.records import Reach, RecordSpans
    from lawqa.models.kernels.triton_capped import CappedAttention

    jobs, reach = [], Reach(0.1, None, 50.0)
    for capability in SHARED_KIB:
        attention = CappedAttention(divmod(capability, 10))
        for heads, kv_heads, dim in ((8, 4, 256), (16, 8, 128), (4, 1, 64)):
            q = empty(40, heads, dim, dtype=torch.bfloat16)
            k = empty(40, kv_heads, dim, dtype=torch.bfloat16)
            records = RecordSpans.of([40], torch.device("cpu"))
            before = len(launches)
            out, kept = attention.forward(q, k, k, records, reach)
            attention.backward(q, q, k, k, out, kept, records, reach)
            jobs += [(launch, capability) for launch in launches[before:]]
    assert_compiled(jobs, SPILLED_BYTES_CAPPED)


KINDS = ((0, False, -1, 1), (16, True, 0, 2), (256, False, 0, 1))
"""Rank, whether there is a bias, rows beside those of the tile, and splits: what changes a product's code."""


@pytest.mark.parametrize("gluon", [True, False])
def test_four_bit_products(launches: list[Launch], *, gluon: bool) -> None:
    """Every tile that the rule gives to some number of rows."""
    from lawqa.models.kernels.nf4_products import (
        CardLimits,
        FusedLinear,
        gluon_obstacle,
        pick_tile,
    )

    if gluon and (reason := gluon_obstacle()):
        pytest.skip(reason)
    jobs, one = set(), empty(1)
    for capability, (rank, biased, beside, splits) in itertools.product(SHARED_KIB, KINDS):
        card = CardLimits.of(divmod(capability, 10), 14)
        usual = (pick_tile(rows, 4096, 4096, rank, card, gluon=gluon) for rows in ROWS)
        for tile in {replace(each, splits=splits) for each in usual}:
            linear = object.__new__(FusedLinear)
            vars(linear).update(
                _weights=[empty(1, dtype=torch.uint8)], _ends=[0, 4096], outputs=4096, inputs=4096,
                _maxima=one, _code=one, _rank=rank, _bias=one if biased else None,
                _a=empty(max(rank, 1), 4096, dtype=torch.bfloat16),
                _b=empty(1, dtype=torch.bfloat16), _card=card, _gluon=gluon,
            )  # fmt: skip
            before = len(launches)
            linear(empty(tile.rows + beside, 4096, dtype=torch.bfloat16), tile)
            jobs |= {(launch, capability) for launch in launches[before:]}
    assert len(jobs) < MOST_PRODUCTS
    assert_compiled(sorted(jobs, key=str), SPILLED_BYTES_PRODUCTS)
