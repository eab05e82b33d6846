#!/bin/sh
# records_elsewhere.sh LAWQA_PYTHON TOKENIZER SCRATCH TOOL: records what llamafactory or unsloth makes of two of our records.
#
# LAWQA_PYTHON is the Python of an environment with lawqa; its torch is used, so that no second one is fetched.
# The environment of the tool goes into SCRATCH; the pins of both exclude ours (LLaMA-Factory: transformers <= 5.6,
# datasets <= 4.0; Unsloth: transformers <= 5.17, datasets < 5). Neither needs a GPU here.
set -eu
here=$(cd "$(dirname "$0")/.." && pwd)
lawqa=$1 tokenizer=$2 scratch=$3 tool=$4
env=$scratch/$tool
pip() { "$env/bin/python" -m pip install --quiet "$@"; }
mkdir -p "$scratch/data"
"$lawqa" "$here/benchmarks/records_for_elsewhere.py" "$scratch/data"
if [ ! -e "$env/made" ]; then
  "$lawqa" -m venv "$env"
  site=$("$env/bin/python" -c 'import sysconfig; print(sysconfig.get_path("purelib"))')
  "$lawqa" -c 'import os, torch; print(os.path.dirname(os.path.dirname(torch.__file__)))' > "$site/torch_of_lawqa.pth"
  "$lawqa" -c 'import torch; print(f"torch=={torch.__version__}")' > "$scratch/keep.txt"
  case $tool in
    llamafactory)
      pip --no-deps llamafactory==0.9.5
      pip -c "$scratch/keep.txt" transformers==5.6.0 datasets==4.0.0 peft==0.18.1 trl==0.24.0 accelerate==1.11.0 \
        'tyro<0.9' omegaconf einops ;;
    unsloth) # without triton, xformers and torchvision, which its CPU backend does not import
      pip --no-deps unsloth==2026.10.9 unsloth_zoo==2026.10.9 cut_cross_entropy diffusers
      pip -c "$scratch/keep.txt" transformers==5.17.0 datasets==4.8.5 peft==0.21.2 trl==1.15.0 torchao==0.17.0 \
        'huggingface_hub<2' tyro sentencepiece hf_transfer msgspec typer structlog json5 nest-asyncio protobuf \
        'certifi>=2026.10.19' einops pillow regex importlib-metadata requests wheel ;;
  esac
  touch "$env/made"
fi
if [ "$tool" = llamafactory ]; then
  HF_HUB_OFFLINE=1 "$env/bin/python" "$here/benchmarks/records_llamafactory.py" "$scratch/data" "$tokenizer"
else
  "$lawqa" - "$tokenizer" "$scratch/model" <<'PYTHON'
import sys
from pathlib import Path
from lawqa.models.pretrained import load_tokenizer
from lawqa.models.tiny import write_tiny_model
write_tiny_model(Path(sys.argv[2]), load_tokenizer(sys.argv[1]))
PYTHON
  cd "$scratch" # Unsloth writes a cache into the working directory
  HF_HUB_OFFLINE=1 "$env/bin/python" "$here/benchmarks/records_unsloth.py" "$scratch/data" "$scratch/model"
fi
