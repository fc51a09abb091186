#!/bin/sh
# Installs what is missing, builds, runs every test and ends in one line with the sum.
#
#   sh tests/run.sh             everything
#   sh tests/run.sh WORD...     only the jobs whose name contains one of the words: lint, unit-dev,
#                               api/routes, conformance, container ... (-l lists the names)
#
# A job is one part that runs beside others: the unit tests of one preset, or one Python file
# against the binary of one preset. Its output is in build/tests/JOB.log. README.md says more.
set -eu
top=$(cd "$(dirname "$0")/.." && pwd)
cd "$top"
out=$top/build/tests
jobs_at_once=$(nproc)

# The presets whose binary a Python test is run against: its line "# presets: asan tsan", or asan.
presets_of() {
  named=$(sed -n '1,40s/^# presets: *//p' "$1" | head -n 1)
  echo "${named:-asan}"
}

# Prints every job, one a line, the longest first.
list_jobs() {
  for file in tests/container/*_test.py tests/api/*_test.py tests/conformance/*_test.py \
    tests/regress/*_test.py tests/faults/*_test.py; do
    [ -f "$file" ] || continue
    name=${file#tests/}
    for preset in $(presets_of "$file"); do echo "${name%_test.py}-$preset"; done
  done
  echo unit-dev
  echo unit-asan
  echo unit-tsan
  echo lint
}

# The jobs that the words "$@" choose; all without words.
choose_jobs() {
  if [ $# -eq 0 ]; then
    list_jobs
  else
    for word in "$@"; do
      list_jobs | grep -F -e "$word" || echo "no job has '$word' in its name" >&2
    done | sort -u
  fi
}

# Prints a word that switches address randomisation off, where that is allowed: gcc 12's thread
# sanitizer does not start under some kernels' randomisation.
tsan_wrapper() {
  if setarch -R true 2>/dev/null; then echo "setarch -R"; fi
}

run_unit() {
  wrapper=
  [ "$1" != tsan ] || wrapper=$(tsan_wrapper)
  $wrapper ctest --preset "$1" -V
}

# The harness reads PERILUNE_BIN, and PERILUNE_AUDIT: release builds log no audit line.
run_python() {
  preset=${1##*-}
  wrapper=
  [ "$preset" != tsan ] || wrapper=$(tsan_wrapper)
  audit=1
  [ "$preset" != release ] || audit=0
  PERILUNE_BIN=$top/build/$preset/perilune PERILUNE_AUDIT=$audit \
    $wrapper python3 -B "tests/${1%-*}_test.py" -v
}

run_lint() {
  status=0
  for file in tests/lint/*_test.py; do
    python3 -B "$file" -v || status=1
  done
  return $status
}

# Runs one job; leaves its output and one line "seconds passed failed skipped".
run_job() {
  file=$out/$(echo "$1" | tr / .)
  start=$(date +%s)
  status=0
  case $1 in
    unit-*) set -- "$1" run_unit "${1#unit-}" ;;
    lint) set -- "$1" run_lint ;;
    *) set -- "$1" run_python "$1" ;;
  esac
  name=$1
  shift
  ("$@") >"$file.log" 2>&1 </dev/null || status=$?
  counts=$(awk -v status="$status" -f tests/count.awk "$file.log")
  seconds=$(($(date +%s) - start))
  echo "$seconds $counts" >"$file.result"
  # shellcheck disable=SC2086  # four words
  printf '%-32s %4d s   %4d passed %3d failed %3d skipped\n' "$name" "$seconds" $counts
}

# Configures and builds one preset; its output is shown only when it fails.
build_preset() {
  start=$(date +%s)
  if ! { cmake --preset "$1" && cmake --build --preset "$1"; } >"$out/build-$1.log" 2>&1; then
    grep -E -A 12 'error|FAILED|CMake Error' "$out/build-$1.log" | head -n 100
    echo "building the preset $1 failed: $out/build-$1.log"
    return 1
  fi
  printf '%-32s %4d s\n' "build-$1" $(($(date +%s) - start))
}

# Prints what matters of a failed job's log: of ctest's the failed tests' own output, of unittest's
# what follows the list of tests.
failures_of() {
  if grep -q '^UpdateCTestConfiguration\|^Test project' "$1"; then
    awk '/^[0-9]+: Test command:/ { n = 0 }
      /^[0-9]+: / { kept[n++] = $0 }
      / Test +#[0-9]+:/ { if (!/ Passed /) { for (i = 0; i < n; i++) print kept[i]; print } n = 0 }
      ' "$1" | grep -v -e '\[ RUN      \]' -e '\[       OK \]' | tail -n 100
  else
    sed -n '/^=====/,$p' "$1" | grep . >"$1.part" || tail -n 60 "$1" >"$1.part"
    head -n 200 "$1.part"
    rm -f "$1.part"
  fi
}

# Shows why jobs failed and what was skipped, then the sum; returns 1 after a failure.
report() {
  for result in "$out"/*.result; do
    read -r _ _ failed skipped <"$result"
    log=${result%.result}.log
    if [ "$failed" -gt 0 ]; then
      echo "---- ${log#"$top"/}"
      failures_of "$log"
    fi
    if [ "$skipped" -gt 0 ]; then
      sed -n -e 's/^\(.*\) \.\.\. skipped \(.*\)/skipped: \1: \2/p' \
        -e 's/^[0-9]*: \[  SKIPPED \] \([a-z].*\)/skipped: \1/p' "$log"
    fi
  done
  cat "$out"/*.result | awk -v builds_failed="$1" '
    { passed += $2; failed += $3; skipped += $4 }
    END {
      failed += builds_failed
      printf "%d passed, %d failed, %d skipped\n", passed, failed, skipped
      exit failed > 0
    }'
}

main() {
  . "$top/server/packages.sh"
  # shellcheck disable=SC2086  # lists of words
  pl_install_packages $PL_BUILD_PACKAGES $PL_TEST_PACKAGES
  mkdir -p "$out"
  rm -f "$out"/*.result "$out"/*.log
  choose_jobs "$@" >"$out/jobs"
  [ -s "$out/jobs" ] || exit 2
  builds_failed=0
  presets=$(sed 's/.*-//' "$out/jobs" | grep -vx lint | sort -u)
  [ $# -gt 0 ] || presets="$presets release"
  for preset in $presets; do
    if ! build_preset "$preset"; then
      builds_failed=$((builds_failed + 1))
      grep -v -e "-$preset\$" "$out/jobs" >"$out/jobs.left" || :
      mv "$out/jobs.left" "$out/jobs"
    fi
  done
  xargs -P "$jobs_at_once" -n 1 sh tests/run.sh --job <"$out/jobs" || :
  report "$builds_failed"
}

case ${1:-} in
  --job) run_job "$2" ;;
  -l) list_jobs ;;
  *) main "$@" ;;
esac
