"""Cross entropy of the answer tokens, some positions at a time."""

from __future__ import annotations

import torch
from torch import Tensor

_POSITIONS = 512
"""Positions whose logits exist at once: 512 of 151,936 float32 values are 0.3 GB."""


class AnswerLoss(torch.autograd.Function):  # type: ignore[misc]  # torch is not checked
    """The cross entropy at each position, with a frozen `lm_head`.

    The gradient with respect to the hidden states is computed with the losses, so that the logits of a few
    hundred positions exist at a time, whatever the number of answer tokens (as in arXiv:2410.10989). A
    position's loss depends on its own hidden state alone, so whatever weighs it later only scales its row.
    """

    @staticmethod
    def forward(
        ctx: torch.autograd.function.FunctionCtx,
        hidden: Tensor,
        weight: Tensor,
        targets: Tensor,
        softcap: float | None = None,
    ) -> Tensor:
        """Return the losses in nats, [positions].

        Args:
            ctx: autograd's.
            hidden: normed hidden states at the predicting positions, [positions, hidden].
            weight: of `lm_head`, [vocabulary, hidden]; frozen.
            targets: the tokens to predict, [positions].
            softcap: logits are capped to softcap * tanh(logits / softcap); None for no cap.
        """
        wanted = ctx.needs_input_grad[0]
        grad = torch.empty_like(hidden) if wanted else None
        losses = torch.empty(len(hidden), dtype=torch.float32, device=hidden.device)
        for start in range(0, len(hidden), _POSITIONS):
            part = slice(start, start + _POSITIONS)
            logits = (hidden[part] @ weight.t()).float()
            bent = None
            if softcap is not None:
                bent = torch.tanh(logits / softcap)
                logits = bent * softcap
            logprobs = logits.log_softmax(dim=-1)
            rows = targets[part, None]
            losses[part] = -logprobs.gather(1, rows)[:, 0]
            if grad is None:
                continue
            probabilities = logprobs.exp_()
            probabilities.scatter_add_(1, rows, torch.full_like(rows, -1, dtype=torch.float32))
            if bent is not None:
                probabilities *= 1 - bent.square_()
            grad[part] = probabilities.to(hidden.dtype) @ weight
        ctx.save_for_backward(grad)
        return losses

    @staticmethod
    def backward(
        ctx: torch.autograd.function.FunctionCtx, *grads: Tensor
    ) -> tuple[Tensor, None, None, None]:
        """Return the gradient with respect to the hidden states."""
        (grad,) = ctx.saved_tensors
        return (grad.float() * grads[0][:, None]).to(grad.dtype), None, None, None
