#!/usr/bin/env bash
# Runs `rtmpscope check` (or merges results of shards) and writes every format that CI reads.
# Inputs come as CHECK_*, see action.yml.
set -uo pipefail

directory=${CHECK_DIRECTORY:-rtmp-conformance}
results=$directory/results.json
mkdir -p "$directory" || exit 2

if [ -n "${CHECK_MERGE:-}" ]; then
  # Patterns are meant to be expanded here.
  # shellcheck disable=SC2086
  rtmpscope check merge $CHECK_MERGE -o "$results"
  code=$?
else
  arguments=(--format json -o "$results")
  for option in server exec expect shard seed; do
    name=CHECK_${option^^}
    if [ -n "${!name:-}" ]; then arguments+=("--$option" "${!name}"); fi
  done
  while IFS= read -r line; do
    if [ -n "$line" ]; then arguments+=("$line"); fi
  done <<< "${CHECK_ARGS:-}"
  if [ -n "${CHECK_URL:-}" ]; then arguments+=("$CHECK_URL"); fi
  rtmpscope check "${arguments[@]}"
  code=$?
fi

# An output that is empty was never written: the server could not be reached, or usage was wrong.
if [ -s "$results" ]; then
  pin=()
  if [ -n "${CHECK_SERVER:-}" ]; then pin=(--artifact "$CHECK_SERVER"); fi
  # Each exits as the run did, which is no failure to write.
  rtmpscope check merge --partial "$results" --format junit -o "$directory/results.xml"
  rtmpscope check merge --partial "$results" --format sarif "${pin[@]}" -o "$directory/results.sarif"
  rtmpscope check merge --partial "$results" --format html -o "$directory/results.html"
  if [ "${CHECK_SUMMARY:-true}" = true ] && [ -n "${GITHUB_STEP_SUMMARY:-}" ]; then
    rtmpscope check merge --partial "$results" --format md >> "$GITHUB_STEP_SUMMARY"
  fi
fi

{
  echo "exit-code=$code"
  echo "directory=$directory"
  echo "json=$results"
  echo "junit=$directory/results.xml"
  echo "sarif=$directory/results.sarif"
  echo "html=$directory/results.html"
} >> "${GITHUB_OUTPUT:-/dev/null}"

# Wrong usage and servers that are not there are never waved through.
if [ "${CHECK_GATE:-true}" = true ] || [ "$code" -eq 2 ] || [ "$code" -eq 3 ]; then exit "$code"; fi
exit 0
