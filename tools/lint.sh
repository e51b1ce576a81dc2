#!/usr/bin/env bash
# What neither the compiler nor the formatter checks.
set -euo pipefail
cd "$(dirname "$0")/.."
status=0

forbid() { # what, then arguments of git grep
  local what=$1 found code=0
  shift
  found=$(git grep -nE "$@") || code=$?
  case $code in
    0) printf 'lint: %s\n%s\n' "$what" "$found" >&2 ;;
    1) return ;; # nothing found
    *) printf 'lint: git grep failed (status %d) while looking for: %s\n' "$code" "$what" >&2 ;;
  esac
  status=1
}

forbid 'all of Foundation (45 MB more in the executable)' '^(package |public )?import Foundation$' -- Sources
forbid '@unchecked Sendable outside Bindings' '@unchecked Sendable' -- Sources ':!Sources/Bindings'
forbid 'C outside Bindings' '^(package |internal |private )?import (Glibc|Musl|C[A-Z][A-Za-z]+)$' -- Sources ':!Sources/Bindings'
forbid 'left in the tree' 'TODO|FIXME|XXX|try!|fatalError\(' -- Sources
while read -r lines file; do
  if [[ $file != total && $lines -gt 450 ]]; then
    printf 'lint: %s has %s lines: look for the second noun\n' "$file" "$lines" >&2
    status=1
  fi
done < <(git ls-files 'Sources/*.swift' | xargs wc -l)
while read -r script; do
  bash -n "$script" || status=1
done < <(git ls-files 'tools/*.sh' '.ci/run')
exit $status
