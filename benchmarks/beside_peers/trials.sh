#!/bin/sh
# trials.sh LAWQA PEERS UNSLOTH FACTORY SCRATCH: what docs/other_tools.md reports "side by side", on a CPU.
#
# The first four are Pythons: lawqa[dev]'s; one with lawqa's packages and inspect_ai==0.3.285 lm_eval==0.4.13
# trl==1.16.0; those that benchmarks/records_elsewhere.sh makes for unsloth and llamafactory. Offline is tried
# in a network namespace of its own (unshare -rn). It takes about ten minutes; each line prints what it is.
set -u
here=$(cd "$(dirname "$0")" && pwd)
lawqa=$1 peers=$2 unsloth=$3 factory=$4 scratch=$5
export OMP_NUM_THREADS=1 HF_HUB_OFFLINE=1
task=lawqa_jp_direct_closed_v1
trial() { echo "== $1"; shift; "$@" > log.txt 2>&1; echo "exit code $?"; tr '\r' '\n' < log.txt | grep -av '%|' | grep -aE '^\||RESULT|Error|Cached requests|accuracy  |points,|error:|ended with|eval_loss|known' | tail -4 | cut -c1-300; }
inspect() { "$peers" -m inspect_ai "$@"; }
asked() { trial "$1" inspect eval inspect_task.py --model hf/toy -M device=cpu -M model_path=$2 --display plain --max-tokens 4 $3; }
lm_eval() { "$peers" ${through:--m lm_eval} run --model hf --device cpu --include_path "${tasks:-tasks}" --apply_chat_template --log_samples "$@"; }
scored() { trial "$1" lm_eval --tasks "${4:-$task}" --model_args "enable_thinking=False,$2" --output_path "lm/$3"; }

"$lawqa" "$here/toy.py" "$scratch" || exit 1
cp "$here/inspect_task.py" "$here/training.py" "$scratch"
cd "$scratch" || exit 1
"$lawqa" -m lawqa export --format lm-eval-task --prompt standard --mode direct --condition closed --data split/test.json -o tasks
cp -r tasks tasks_train && cp split/train.json tasks_train/selection.json

echo "# lawqa"
trial "pairs" "$lawqa" -m lawqa compare runs/base4 runs/tuned4
trial "four orders" "$lawqa" -m lawqa evaluate --data split/test.json --model-name model --hf-lora-path adapter --permutations 4 --run-dir runs/orders
trial "questions of its training" "$lawqa" -m lawqa evaluate --data split/train.json --model-name model --hf-lora-path adapter --run-dir runs/leak
trial "report" "$lawqa" -m lawqa report runs/base4 runs/tuned4 --output-path report.html
ask="evaluate --data split/test.json --model-name model --no-4bit"
trial "killed at the 14th answer" env KILL_AT=14 "$lawqa" "$here/lawqa_killed.py" $ask --run-dir runs/killed
trial "resumed" "$lawqa" -m lawqa $ask --run-dir runs/killed --resume
trial "votes of four samples" "$lawqa" -m lawqa $ask --answer-by generate --ensemble 4 --max-new-tokens 4 --run-dir runs/votes
learn="train --train-file train.jsonl --model-name model --4bit --learning-rate 5e-3 --batch-size 4 --gradient-accumulation-steps 1
  --max-steps 6 --save-steps 2 --do-train --quiet"
trial "train" "$lawqa" -m lawqa $learn --output-dir lawqa-whole
trial "killed" env KILL_AT=5 "$lawqa" "$here/lawqa_killed.py" $learn --output-dir lawqa-killed
trial "resumed" "$lawqa" -m lawqa $learn --output-dir lawqa-killed --resume
trial "the same bytes" cmp lawqa-whole/adapter_model.safetensors lawqa-killed/adapter_model.safetensors

echo "# inspect_ai"
asked "log-probabilities" model "--logprobs --top-logprobs 5 --log-dir logs/logprobs"
asked "shuffled choices, four epochs, the mode" model "-T shuffle=7 -T epochs=4 --log-dir logs/orders"
asked "adapter, questions of its training" adapter "-T file=split/train.json --log-dir logs/adapter"
asked "4 bits by its option" "model -M load_in_4bit=true" "--log-dir logs/option"
export KILL_AT=14
asked "killed at the 14th" model "-T count=true --max-samples 1 --max-connections 1 --log-dir logs/killed"
unset KILL_AT
trial "retried" inspect eval-retry logs/killed/*.eval --log-dir logs/killed --display plain
wc -l asked.txt
trial "bundle" inspect view bundle --log-dir logs/orders --output-dir bundle

echo "# lm_eval"
scored "label probabilities" pretrained=model base
scored "adapter" pretrained=model,peft=adapter tuned
scored "adapter, 4 bits by its option" pretrained=model,load_in_4bit=True,peft=adapter option
"$lawqa" -c "import transformers as t
t.AutoModelForCausalLM.from_pretrained('model', quantization_config=t.BitsAndBytesConfig(load_in_4bit=True, bnb_4bit_quant_type='nf4')).save_pretrained('model4')
t.AutoTokenizer.from_pretrained('model').save_pretrained('model4')"
scored "adapter, model stored in 4 bits" pretrained=model4,peft=adapter tuned4
tasks=tasks_train scored "questions of its training" pretrained=model,peft=adapter leak
sed -e 's/^task: .*/task: brier/' -e '/^metric_list:/a\  - {metric: brier_score, aggregation: brier_score, higher_is_better: false}' tasks/$task.yaml > tasks/brier.yaml
scored "Brier score" pretrained=model brier brier
sed -e 's/^task: .*/task: votes/' -e 's/^output_type:.*/output_type: generate_until/' -e '/^doc_to_choice/d' -e 's/^doc_to_target.*/doc_to_target: "{{gold}}"/' \
  -e 's/metric: acc/metric: exact_match/' -e '$a repeats: 4\ngeneration_kwargs: {do_sample: true, temperature: 1.0, max_gen_toks: 4, until: []}\nfilter_list:\n  - {name: vote, filter: [{function: regex, regex_pattern: "([a-d])"}, {function: majority_vote}, {function: take_first}]}' \
  tasks/$task.yaml > tasks/votes.yaml
scored "votes of four samples" pretrained=model votes votes
mkdir -p cache
export KILL_AT=15
through=$here/lm_eval_killed.py trial "killed" lm_eval --tasks $task --model_args enable_thinking=False,pretrained=model --use_cache cache/lm --output_path lm/killed
unset KILL_AT
trial "again with its cache" lm_eval --tasks $task --model_args enable_thinking=False,pretrained=model --use_cache cache/lm --output_path lm/killed

for tool in trl unsloth llamafactory; do
  case $tool in trl) python=$peers ;; unsloth) python=$unsloth ;; *) python=$factory ;; esac
  echo "# $tool"
  for what in whole killed packing leak; do trial $what "$python" training.py $tool $what; done
  [ $tool = llamafactory ] && trial "packing, neat" "$python" training.py $tool packing neat
  trial "its adapter in lawqa" "$lawqa" -m lawqa evaluate --data split/test.json --model-name model --4bit --hf-lora-path $tool-whole --label-forms letter --run-dir runs/$tool
done

echo "# no network, HF_HUB_OFFLINE not set"
unset HF_HUB_OFFLINE
trial lawqa unshare -rn "$lawqa" -m lawqa evaluate --data split/test.json --model-name model --no-4bit --run-dir runs/offline
trial inspect_ai unshare -rn "$peers" -m inspect_ai eval inspect_task.py --model hf/toy -M model_path=model -M device=cpu --max-tokens 4 --limit 2 --log-dir logs/offline --display plain
trial lm_eval unshare -rn "$peers" -m lm_eval run --model hf --model_args pretrained=model --device cpu --include_path tasks --tasks $task --limit 2
trial trl unshare -rn "$peers" training.py trl leak
