#!/usr/bin/env bash
# A data set written by the tasks of a Slurm array, each its own files of one folder that all of them see:
#
#   sbatch --array=0-15 examples/slurm.sh std:document_qa 1000000000 data/
#
# The files are the same bytes however many tasks write them. A task that was killed goes on where it was
# when it is submitted again with the same array; `cookc data verify data/` reads all of it at the end.
#SBATCH --job-name=cookc
#SBATCH --cpus-per-task=8
#SBATCH --time=04:00:00
#SBATCH --requeue
set -euo pipefail

template=$1 samples=$2 folder=$3
tasks=${SLURM_ARRAY_TASK_COUNT:?run it by sbatch --array=0-N}
first=${SLURM_ARRAY_TASK_MIN:-0}

exec cookc generate "$template" -n "$samples" -o "${folder%/}/" --format parquet --resume \
  --shard "$((SLURM_ARRAY_TASK_ID - first))/$tasks" --threads "${SLURM_CPUS_PER_TASK:-1}"
