"""The fast path of training: decoder blocks over frozen (4-bit) weights, written out forward and backward.

It computes what the plain path computes, in the same precision, and differs in how:

- records are packed one after the other instead of padded, and attention keeps them apart;
- a weight is dequantised once for all products that need it, and LoRA's products run beside it in the
  compute dtype from float32 masters, without the copies that autograd would keep of each;
- what the backward pass needs and cannot get back cheaply is kept for as many blocks as the memory
  holds; the other blocks are computed again (arXiv:1604.06174);
- norms, rotary embedding and the gated activation are one kernel each.

`layers` says which architectures it knows; `fast_path_obstacle` says why a model or device cannot take it.
`hooked` is the lane of all others.
"""

from lawqa.training.fast.hooked import HookedPath, hooked_path_obstacle
from lawqa.training.fast.model import FastPath, fast_path_obstacle
from lawqa.training.fast.packing import PackedBatch, fullest_part, pack, packed_parts

__all__ = [
    "FastPath",
    "HookedPath",
    "PackedBatch",
    "fast_path_obstacle",
    "fullest_part",
    "hooked_path_obstacle",
    "pack",
    "packed_parts",
]
