"""Layers of transformers' own models that compute through our kernels while a packed row goes through them.

Three kinds are known in any architecture: LoRA's linear layers, gated MLPs and RMSNorms. They are known by
what they are made of, MLPs and norms only after their outputs were found to be the same. Between and
around them the model runs as it is. For its backward pass each keeps what cannot be got back cheaply.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Any, cast

import torch
from torch import Tensor

from lawqa.models.attention.hooked import in_packed
from lawqa.models.kernels.elementwise import Activation, Elementwise
from lawqa.models.projections import plain_lora_obstacle
from lawqa.training.fast.layers import known_activation
from lawqa.training.fast.linears import Copies, LinearGroup, Workspace, dropout_seeds

_ADAPTER = "default"
_TRIED = 5
"""Tokens that a layer is tried with."""
_SAME = {torch.float32: 1e-4, torch.bfloat16: 2e-2, torch.float16: 3e-3}
"""How far outputs may be from a layer's own, relative to their size: PEFT rounds once more."""
_OWN = "lawqa_own"
"""Where a forward pass of ours has the one that it replaced."""
_JOINED, _APART, _LAST = "gate_up_proj", ("gate_proj", "up_proj"), "down_proj"
"""What the linear layers of a gated MLP are called."""


class Takeover:
    """Lets the layers of a model compute through our kernels, and knows the groups of linear layers.

    Args:
        causal: transformers' model with PEFT's layers in it; who took it over before lets go of it.
        dtype: of products.
        dropout: of LoRA's inputs.
        kernels: the elementwise kernels.
    """

    def __init__(
        self, causal: torch.nn.Module, dtype: torch.dtype, dropout: float, kernels: Elementwise
    ) -> None:
        let_go(causal)
        self.groups: list[LinearGroup] = []
        self._dtype, self._dropout, self._kernels = dtype, dropout, kernels
        self._device = next(causal.parameters()).device
        self._workspace = Workspace(self._device, dtype)
        activation = known_activation(causal.config)
        taken: set[torch.nn.Module] = set()
        for module in causal.modules():
            if module in taken:
                continue
            if activation is not None and (linears := _gated_mlp(module)) is not None:
                if self._take_mlp(module, linears, activation):
                    taken.update(linears)
            elif hasattr(module, "lora_A") and plain_lora_obstacle(module) is None:
                self._take_linear(module)
            elif (eps := _rms_norm_eps(module)) is not None:
                self._take_norm(module, eps)

    # Any: PEFT's layers, and whatever a `forward` is given; neither has types.
    def _take_linear(self, module: Any) -> None:
        group = self._group([module])
        self.groups.append(group)
        own = module.forward

        def forward(x: Tensor, *arguments: Any, **options: Any) -> Tensor:
            if not in_packed() or _is_off(module):
                return own(x, *arguments, **options)
            (seed,) = dropout_seeds(1, wanted=bool(self._dropout) and module.training)
            out: Tensor = LoraFunction.apply(
                x, group, self._workspace, self._kernels, seed, *group.parameters
            )
            return out

        _replace_forward(module, forward, own)

    def _take_mlp(
        self, module: Any, linears: list[torch.nn.Module], activation: Activation
    ) -> bool:
        """Take a gated MLP over where it computes what ours does; return whether."""
        groups = (self._group(linears[:-1]), self._group(linears[-1:]))
        parameters = [*groups[0].parameters, *groups[1].parameters]
        own = module.forward

        def ours(x: Tensor, seeds: tuple[int, ...]) -> Tensor:
            out: Tensor = MlpFunction.apply(
                x, groups, activation, self._workspace, self._kernels, seeds, *parameters
            )
            return out

        def forward(x: Tensor, *arguments: Any, **options: Any) -> Tensor:
            if not in_packed() or any(map(_is_off, linears)):
                return own(x, *arguments, **options)
            return ours(x, dropout_seeds(2, wanted=bool(self._dropout) and module.training))

        Copies(groups).refresh()
        x = self._tried(groups[0].inputs)
        if not self._same(module, own, x, partial(ours, x, (0, 0))):
            return False
        self.groups.extend(groups)
        _replace_forward(module, forward, own)
        return True

    def _take_norm(self, module: Any, eps: float) -> None:
        """Take an RMSNorm over where it is one of the two families that the kernels know."""
        own = module.forward
        weight = module.weight.detach()
        x = self._tried(len(weight))

        def ours(x: Tensor, scale: Tensor) -> Tensor:
            out: Tensor = NormFunction.apply(x, scale, eps, self._kernels)
            return out

        scales = (weight, weight.float(), 1 + weight.float())
        same = (scale for scale in scales if self._same(module, own, x, partial(ours, x, scale)))
        scale = next(same, None)
        if scale is None:
            return

        def forward(x: Tensor, *arguments: Any, **options: Any) -> Tensor:
            if arguments or options or not in_packed() or x.dtype != self._dtype:
                return own(x, *arguments, **options)
            return ours(x, scale)

        _replace_forward(module, forward, own)

    def _group(self, layers: list[torch.nn.Module]) -> LinearGroup:
        return LinearGroup(layers, _ADAPTER, self._dtype, self._dropout)

    def _tried(self, width: int) -> Tensor:
        generator = torch.Generator().manual_seed(0)
        drawn = torch.randn(1, _TRIED, width, generator=generator)
        return drawn.to(self._device, self._dtype)

    def _same(
        self, module: torch.nn.Module, own: Callable[[Tensor], Tensor], x: Tensor,
        ours: Callable[[], Tensor],
    ) -> bool:  # fmt: skip
        """Return whether ours gives a layer's own outputs for `x`, without dropout."""
        was_training = module.training
        module.eval()
        try:
            with torch.no_grad():
                expected = own(x)
                found = ours()
        finally:
            module.train(was_training)
        if found.shape != expected.shape or found.dtype != expected.dtype:
            return False
        off = (found.float() - expected.float()).norm()
        return bool(off <= _SAME[self._dtype] * expected.float().norm())


def _gated_mlp(module: torch.nn.Module) -> list[torch.nn.Module] | None:
    """Return the linear layers of a gated MLP, the last one last; None where a module is none."""
    children = dict(module.named_children())
    linears = {name: child for name, child in children.items() if _is_linear(child)}
    first = (_JOINED,) if _JOINED in linears else _APART
    names = {*first, _LAST}
    if linears.keys() != names or any(
        next(child.parameters(), None) is not None or getattr(child, "p", 0)
        for name, child in children.items()
        if name not in names
    ):
        return None
    parts = [linears[name] for name in (*first, _LAST)]
    if not any(hasattr(part, "lora_A") for part in parts):
        return None
    hooked = any(part._forward_hooks or part._forward_pre_hooks for part in parts)
    return None if hooked else parts


def _is_linear(module: torch.nn.Module) -> bool:
    if hasattr(module, "lora_A"):
        return plain_lora_obstacle(module) is None
    return isinstance(module, torch.nn.Linear)


def _rms_norm_eps(module: torch.nn.Module) -> float | None:
    """Return what a norm with a frozen weight and nothing besides adds to the mean square; None for
    others.
    """
    parameters = dict(module.named_parameters())
    if parameters.keys() != {"weight"} or not type(module).__name__.endswith("RMSNorm"):
        return None
    weight = parameters["weight"]
    eps = getattr(module, "variance_epsilon", getattr(module, "eps", None))
    if weight.dim() != 1 or weight.requires_grad or not isinstance(eps, float):
        return None
    return eps


def _is_off(module: Any) -> bool:  # Any: PEFT has no types
    return bool(getattr(module, "disable_adapters", False) or getattr(module, "merged", False))


def let_go(causal: torch.nn.Module) -> None:
    """Give the layers of a model their own forward passes back."""
    for module in causal.modules():
        own = getattr(module.forward, _OWN, None)
        if own is not None:
            del module.forward
            if module.forward != own:  # its own was no method of its class
                module.forward = own


def _replace_forward(
    module: Any, forward: Callable[..., Tensor], own: Callable[..., Tensor]
) -> None:
    setattr(forward, _OWN, own)
    module.forward = forward


class LoraFunction(torch.autograd.Function):  # type: ignore[misc]  # torch is not checked
    """A linear layer with LoRA as autograd sees it."""

    @staticmethod
    def forward(
        ctx: torch.autograd.function.FunctionCtx,
        x: Tensor,
        group: LinearGroup,
        workspace: Workspace,
        kernels: Elementwise,
        seed: int,
        *parameters: Tensor,
    ) -> Tensor:
        """Return the outputs [..., out] of inputs [..., in]; `parameters` are there because autograd must
        know them.
        """
        del parameters
        with torch.autocast(x.device.type, enabled=False):
            flat = x.flatten(0, -2).to(group.a.dtype)
            out, low = group.forward(group.widened(flat), workspace, kernels, seed)
        ctx.save_for_backward(flat, low)
        ctx.used = (group, workspace, kernels, seed, x.shape, x.dtype)
        return out.view(*x.shape[:-1], -1)

    @staticmethod
    def backward(
        ctx: torch.autograd.function.FunctionCtx, *grads: Tensor
    ) -> tuple[Tensor | None, ...]:
        """Return the gradients of the input and of the LoRA weights."""
        flat, low = ctx.saved_tensors
        group, workspace, kernels, seed, shape, dtype = ctx.used
        with torch.autocast(flat.device.type, enabled=False):
            x_grad, own = group.backward(
                grads[0].flatten(0, -2).to(flat.dtype).contiguous(), flat, low, workspace, kernels,
                seed, input_grad=ctx.needs_input_grad[0],
            )  # fmt: skip
        back = None if x_grad is None else x_grad.view(shape).to(dtype)
        return (back, None, None, None, None, *own)


class MlpFunction(torch.autograd.Function):  # type: ignore[misc]  # torch is not checked
    """A gated MLP with LoRA as autograd sees it; the activation is computed again in the backward pass."""

    @staticmethod
    def forward(
        ctx: torch.autograd.function.FunctionCtx,
        x: Tensor,
        groups: tuple[LinearGroup, LinearGroup],
        activation: Activation,
        workspace: Workspace,
        kernels: Elementwise,
        seeds: tuple[int, int],
        *parameters: Tensor,
    ) -> Tensor:
        """Return the outputs [..., hidden] of inputs like them; `parameters` are there because autograd must
        know them.
        """
        del parameters
        first, last = groups
        with torch.autocast(x.device.type, enabled=False):
            flat = x.flatten(0, -2).to(first.a.dtype)
            gate_up, low = first.forward(first.widened(flat), workspace, kernels, seeds[0])
            wide = last.room(len(flat))
            kernels.glu_joined(gate_up, activation, wide[:, : last.inputs])
            out, low_last = last.forward(wide, workspace, kernels, seeds[1])
        ctx.save_for_backward(flat, gate_up, low, low_last)
        ctx.used = (groups, activation, workspace, kernels, seeds, x.shape, x.dtype)
        return out.view(x.shape)

    @staticmethod
    def backward(
        ctx: torch.autograd.function.FunctionCtx, *grads: Tensor
    ) -> tuple[Tensor | None, ...]:
        """Return the gradients of the input and of the LoRA weights; what was kept is used up."""
        flat, gate_up, low, low_last = ctx.saved_tensors
        (first, last), activation, workspace, kernels, seeds, shape, dtype = ctx.used
        with torch.autocast(flat.device.type, enabled=False):
            grad = grads[0].flatten(0, -2).to(flat.dtype).contiguous()
            activated = kernels.glu_joined(gate_up, activation)
            activated_grad, last_grads = last.backward(
                grad, activated, low_last, workspace, kernels, seeds[1]
            )
            assert activated_grad is not None  # noqa: S101 - for the type checker
            del activated, grad
            kernels.glu_backward(gate_up, activated_grad, activation)
            del activated_grad
            x_grad, first_grads = first.backward(
                gate_up, flat, low, workspace, kernels, seeds[0], input_grad=ctx.needs_input_grad[0]
            )
        back = None if x_grad is None else x_grad.view(shape).to(dtype)
        return (back, None, None, None, None, None, *first_grads, *last_grads)


class NormFunction(torch.autograd.Function):  # type: ignore[misc]  # torch is not checked
    """RMSNorm with a frozen weight as autograd sees it."""

    @staticmethod
    def forward(
        ctx: torch.autograd.function.FunctionCtx,
        x: Tensor,
        weight: Tensor,
        eps: float,
        kernels: Elementwise,
    ) -> Tensor:
        """Return the normed values of `x` [..., size]."""
        with torch.autocast(x.device.type, enabled=False):
            flat = x.contiguous().view(-1, x.shape[-1])
            out, inverse = kernels.norm(flat, weight, eps)
        ctx.save_for_backward(flat, weight, inverse)
        ctx.kernels = kernels
        return out.view(x.shape)

    @staticmethod
    def backward(
        ctx: torch.autograd.function.FunctionCtx, *grads: Tensor
    ) -> tuple[Tensor | None, ...]:
        """Return the gradient of `x`."""
        flat, weight, inverse = ctx.saved_tensors
        kernels = cast("Elementwise", ctx.kernels)
        with torch.autocast(flat.device.type, enabled=False):
            grad = grads[0].to(flat.dtype).contiguous().view(flat.shape)
            x_grad = kernels.norm_backward(grad, flat, weight, inverse, None)
        return x_grad.view(grads[0].shape), None, None, None
