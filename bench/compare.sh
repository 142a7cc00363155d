#!/bin/sh
# PyTorch (strict FP32, TF32) and this engine on one NVIDIA GPU, one after the other: the same weights, files, labels and
# noise. Wants python3 with torch and torchvision, the built jar, and TORNADOVM_HOME.
#
#   bench/compare.sh FOLDER [STEPS]      FOLDER gets the weights (3 GB), pictures, logs and table.md; STEPS is 250
#   DEVICE=0                             which GPU
set -eu
here=$(CDPATH='' cd -- "$(dirname -- "$0")/.." && pwd)
folder=$1
steps=${2:-250}
mkdir -p "$folder"

nvidia-smi --id="${DEVICE:-0}" --query-gpu=name,driver_version,clocks.max.sm --format=csv,noheader | tee "$folder/device.txt"
python3 "$here/reference/make_xl2.py" --out "$folder" --steps "$steps" --precisions strict,tf32 2>&1 |
    tee "$folder/pytorch.log"

sample() { # LOG OPTIONS...
    log=$1
    shift
    "$here/dit" sample --device tornado --devices "${DEVICE:-0}" "$@" >"$log" 2>&1 || {
        cat "$log"
        exit 1
    }
    grep -v WARNING "$log"
}

nvidia-smi --id="${DEVICE:-0}" --query-gpu=memory.used,utilization.gpu --format=csv,noheader,nounits --loop-ms=200 >"$folder/memory.csv" &
watcher=$!
for run in 1 2; do
    sample "$folder/ours-$run.log" --model DiT-XL/2 --ckpt "$folder/dit.pt" --vae "$folder/vae" \
        --num-sampling-steps "$steps" --output "$folder/ours-$run.png" --save-latents "$folder/ours-$run.npy"
    [ "${RUNS:-2}" = 2 ] || break # RUNS=1: no second run to compare bits with
done
kill "$watcher"
echo "== XL/2 512, $steps steps, against PyTorch strict FP32"
"$here/dit" evaluate "$folder/sample-strict.png" "$folder/ours-1.png" --gates strict 2>&1 | grep -v WARNING || true
if [ -f "$folder/ours-2.png" ]; then
    cmp "$folder/ours-1.npy" "$folder/ours-2.npy" && cmp "$folder/ours-1.png" "$folder/ours-2.png" &&
        echo "a second run gives the same bits"
fi
echo "== TF32 against strict FP32, both PyTorch"
"$here/dit" evaluate "$folder/sample-strict.png" "$folder/sample-tf32.png" --gates strict 2>&1 | grep -v WARNING || true

echo "== demo model, 250 steps, against PyTorch strict FP32's picture"
sample "$folder/demo.log" --model demo --output "$folder/demo.png"
"$here/dit" evaluate "$here/reference/data/demo/steps-250.png" "$folder/demo.png" --gates strict 2>&1 |
    grep -v WARNING || true

python3 "$here/bench/table.py" "$folder" "$steps" | tee "$folder/table.md"
