#!/usr/bin/env bash
# Runs the tests, one target after the other: many of them run programs and wait for them, and all at once they take
# the few threads away from those that measure time. Usage: tools/test.sh [TARGET…]
set -uo pipefail
cd "$(dirname "$0")/.."
targets=("$@")
if [[ ${#targets[@]} -eq 0 ]]; then mapfile -t targets < <(cd Tests && ls -d *Tests); fi
failed=()
for target in "${targets[@]}"; do
  swift test --skip-build --filter "^$target\\." || failed+=("$target")
done
if [[ ${#failed[@]} -gt 0 ]]; then
  echo "failed: ${failed[*]}; again: tools/test.sh ${failed[*]}" >&2
  exit 1
fi
echo "all tests of ${#targets[@]} targets passed"
