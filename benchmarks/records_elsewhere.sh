#!/bin/sh
# records_elsewhere.sh LAWQA_PYTHON TOKENIZER SCRATCH: records what LLaMA-Factory makes of two of our records.
#
# LAWQA_PYTHON is the Python of an environment with lawqa; its torch is used, so that no second one is fetched.
# The environment of LLaMA-Factory goes into SCRATCH; its pins (transformers <= 5.6, datasets <= 4.0) exclude ours.
set -eu
here=$(cd "$(dirname "$0")/.." && pwd)
lawqa=$1 tokenizer=$2 scratch=$3
mkdir -p "$scratch/data"
"$lawqa" "$here/benchmarks/records_for_elsewhere.py" "$scratch/data"
if [ ! -x "$scratch/env/bin/python" ]; then
  "$lawqa" -m venv "$scratch/env"
  site=$("$scratch/env/bin/python" -c 'import sysconfig; print(sysconfig.get_path("purelib"))')
  "$lawqa" -c 'import os, torch; print(os.path.dirname(os.path.dirname(torch.__file__)))' > "$site/torch_of_lawqa.pth"
  "$lawqa" -c 'import torch; print(f"torch=={torch.__version__}")' > "$scratch/keep.txt"
  "$scratch/env/bin/python" -m pip install --quiet --no-deps llamafactory==0.9.5
  "$scratch/env/bin/python" -m pip install --quiet -c "$scratch/keep.txt" 'transformers==5.6.0' 'datasets==4.0.0' \
    'peft==0.18.1' 'trl==0.24.0' 'accelerate==1.11.0' 'tyro<0.9' omegaconf einops
fi
HF_HUB_OFFLINE=1 "$scratch/env/bin/python" "$here/benchmarks/records_elsewhere.py" "$scratch/data" "$tokenizer"
