"""Driver, GPU, 4-bit products, and whether the plan fits the memory."""

from __future__ import annotations

from collections.abc import Iterator

from lawqa.doctor.findings import Finding
from lawqa.doctor.planned_run import PlannedRun
from lawqa.doctor.probes import Gpu, Probes
from lawqa.errors import ConfigError, LawqaError
from lawqa.models.shapes import read_shape
from lawqa.training.planning.memory import GIB, MemorySetting
from lawqa.training.planning.plan import plan_training

_OLDEST_CAPABILITY = (7, 5)
_OLDEST_DRIVER_CUDA = 12
# NF4 rounds normal weights by 9 to 10%; more means that the kernels compute something else.
_LARGEST_FOUR_BIT_ERROR = 0.15
_SHARE_THAT_SHOULD_BE_FREE = 0.9


def driver(planned: PlannedRun, probes: Probes) -> Finding:
    """Return whether the driver is new enough for this build of torch."""
    built, warned = probes.torch_build()
    newest = probes.driver_cuda()
    fitting = f"pip install --force-reinstall --no-deps '{planned.place.variables['torch']}'"
    if newest is None:
        level, fix = (
            ("problem", "ask for a session with a GPU") if planned.needs_gpu else ("ok", "")
        )
        return Finding("driver", level, "no NVIDIA driver is installed", fix)  # type: ignore[arg-type]
    shown = f"{newest // 1000}.{newest % 1000 // 10}"
    if built is None:
        return Finding(
            "driver", "problem", f"the driver takes CUDA {shown}, but torch is a CPU build", fitting
        )
    # Within one major version a newer CUDA runs on an older driver.
    if int(built.split(".")[0]) > newest // 1000 or (warned and "too old" in warned):
        if newest // 1000 < _OLDEST_DRIVER_CUDA:
            fix = (
                f"no torch that lawqa supports runs on it: ask for a driver of CUDA "
                f"{_OLDEST_DRIVER_CUDA} (525) or newer"
            )
        else:
            fix = fitting
        return Finding(
            "driver",
            "problem",
            f"too old for this torch: the driver takes CUDA {shown}, torch is built for {built}",
            fix,
        )
    return Finding("driver", "ok", f"takes CUDA {shown}, torch is built for {built}")


def gpu(planned: PlannedRun, device: Gpu | None, probes: Probes) -> Iterator[Finding]:
    """Return name, slice, free memory, compute capability, bfloat16, and the allocator's setting."""
    if device is None:
        level = "problem" if planned.needs_gpu else "warning"
        message = "torch sees no GPU: everything runs on the CPU"
        fix = "see the line about the driver" if planned.needs_gpu else ""
        yield Finding("gpu", level, message, fix)  # type: ignore[arg-type]
        return
    profile = f", MIG {device.mig_profile}" if device.mig_profile else ""
    memory = f"{device.free_gib:.1f} of {device.total_gib:.1f} GiB free"
    if device.free_gib < _SHARE_THAT_SHOULD_BE_FREE * device.total_gib:
        yield Finding(
            "gpu",
            "warning",
            f"{device.name}{profile}: only {memory}; something else uses it",
            "end your other notebooks and runs (Kernel > Shut Down All Kernels), then look again",
        )
    else:
        yield Finding("gpu", "ok", f"{device.name}{profile}: {memory}")
    capability = f"{device.capability[0]}.{device.capability[1]}"
    if device.capability < _OLDEST_CAPABILITY:
        yield Finding(
            "capability",
            "problem",
            f"compute capability {capability}: torch and bitsandbytes need 7.5 or newer",
            "use another GPU",
        )
    elif not device.bf16:
        yield Finding(
            "capability",
            "warning",
            f"compute capability {capability} has no bfloat16: lawqa uses float16 with loss scaling",
        )
    else:
        yield Finding("capability", "ok", f"compute capability {capability}, bfloat16")
    yield from _allocator(device, probes)


def four_bit(probes: Probes) -> Finding:
    """Return whether bitsandbytes really quantises and multiplies on this device, forward and backward."""
    try:
        error = probes.four_bit_error()
    except (
        ImportError,
        OSError,
        RuntimeError,
        ValueError,
        AttributeError,
        NotImplementedError,
    ) as bad:
        return Finding(
            "4 bits",
            "problem",
            f"a 4-bit layer does not run here: {str(bad).splitlines()[0] if str(bad) else bad!r}",
            "pip install --force-reinstall --no-deps -c constraints.txt bitsandbytes",
        )
    shown = f"a 4-bit layer is off by {error:.0%} forward and backward (9 to 11% is NF4's rounding)"
    if not error < _LARGEST_FOUR_BIT_ERROR:
        return Finding(
            "4 bits",
            "problem",
            f"{shown}: training on it would be wrong",
            "pip install --force-reinstall --no-deps -c constraints.txt bitsandbytes",
        )
    return Finding("4 bits", "ok", shown)


def plan(planned: PlannedRun, device: Gpu | None) -> Iterator[Finding]:
    """Yield whether training the model with records of this length fits the free memory."""
    if device is None:
        return
    try:
        shape = read_shape(planned.model)
    except LawqaError as problem:
        yield Finding("plan", "warning", f"not made: {problem.message}", problem.hint)
        return
    longest = planned.max_seq_length
    try:
        # The plain path takes the most: what fits there fits on any.
        training = plan_training(
            shape, MemorySetting(fast=False), memory=int(device.free_gib * GIB), longest=longest
        )
    except ConfigError as problem:
        yield Finding("plan", "problem", problem.message, problem.hint)
        return
    yield Finding(
        "plan",
        "ok",
        f"training {planned.model} in 4 bits on records of {longest} tokens fits: "
        f"{training.memory.total / GIB:.1f} of {device.free_gib:.1f} GiB, {training.token_budget} tokens "
        "at once",
    )


def _allocator(device: Gpu, probes: Probes) -> Iterator[Finding]:
    for name in ("PYTORCH_CUDA_ALLOC_CONF", "PYTORCH_ALLOC_CONF"):
        value = probes.environment().get(name, "")
        if device.mig_profile and "expandable_segments:true" in value.lower().replace(" ", ""):
            yield Finding(
                "allocator",
                "problem",
                f"{name} turns expandable segments on: they need NVML, which is denied inside a MIG "
                "slice, and crash in place of an out-of-memory error",
                f"unset {name}",
            )
