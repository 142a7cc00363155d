#!/bin/bash
# Submits ./dit bulk to Slurm: an array of shards, and the collector behind it.
#   cluster/slurm/submit.sh SHARDS FOLDER [options of ./dit bulk]
#   cluster/slurm/submit.sh 8 fid --image-size 256 --num-samples 50000
# The folder is one that all nodes see; so are the program, a checkout or what a distribution was unpacked to, the weights and
# the current folder, which gets the logs.
#   DIT_SBATCH='--gres=gpu:4 --cpus-per-task=32 --mem=128G --partition=big'   options of the array's tasks; --gres=gpu:1
#   DIT_SBATCH_COLLECT='--partition=small'                                    those of the collector
#   DIT_MOST_RESTARTS=20                                                      of a task that fails, but not with 42
set -euo pipefail
here=$(cd "$(dirname "$0")" && pwd)
if [ $# -lt 2 ] || ! [[ $1 =~ ^[1-9][0-9]{0,4}$ ]]; then
    echo "usage: $0 SHARDS FOLDER [options of ./dit bulk]" >&2
    exit 2
fi
shards=$1 folder=$2
shift 2
if [ -z "${DIT:-}" ]; then
    program=$(cd "$here/../.." && pwd)
    DIT=$program/dit # a checkout's; a distribution has it in bin
    [ -e "$DIT" ] || DIT=$program/bin/dit
fi
export DIT
"$DIT" --version > /dev/null # builds the program here, not on all nodes at once

# shellcheck disable=SC2086 # several words
array=$(sbatch --parsable --array=0-$((shards - 1)) ${DIT_SBATCH---gres=gpu:1} "$here/bulk.sbatch" "$folder" "$@")
# shellcheck disable=SC2086
collector=$(sbatch --parsable --dependency="afterok:$array" --kill-on-invalid-dep=yes ${DIT_SBATCH_COLLECT-} \
    "$here/collect.sbatch" "$folder")
echo "array $array, collector $collector"
