# Reads the output of `ctest -V` or of Python's unittest and prints "passed failed skipped".
# -v status=N is the job's exit status: one that is not 0 counts as a failure even when the output
# names none (a crash, a time-out). A case that cmocka ran counts as one; a ctest test without
# such cases counts as one.

# ctest: "7: [  PASSED  ] 12 test(s)."
$1 ~ /^[0-9]+:$/ && /\] [0-9]+ test\(s\)/ {
  id = $1 + 0
  match($0, /[0-9]+ test\(s\)/)
  n = substr($0, RSTART) + 0
  if (/\[  PASSED  \]/) cases_passed[id] = n
  if (/\[  FAILED  \]/) cases_failed[id] = n
  if (/\[  SKIPPED \]/) cases_skipped[id] = n
}

# ctest: "3/9 Test #7: unit/base/mem ....   Passed    0.01 sec"
/^ *[0-9]+\/[0-9]+ Test +#[0-9]+:/ {
  match($0, /#[0-9]+:/)
  id = substr($0, RSTART + 1) + 0
  is_inverted = /must_fail\//
  n = is_inverted ? 0 : cases_passed[id] + cases_skipped[id]
  if (/ Passed +[0-9.]+ sec/) {
    passed += n ? cases_passed[id] : 1
  } else {
    passed += is_inverted ? 0 : cases_passed[id]
    failed += cases_failed[id] && !is_inverted ? cases_failed[id] : 1
  }
  if (!is_inverted) skipped += cases_skipped[id]
}

# unittest: "Ran 12 tests in 0.3s", then "OK (skipped=1)" or "FAILED (failures=1, errors=2)"
/^Ran [0-9]+ tests? in / { passed += $2 }
/^(OK|FAILED)( \(.*\))?$/ {
  bad = value("failures") + value("errors") + value("unexpected successes")
  failed += bad
  skipped += value("skipped")
  passed -= bad + value("skipped")
}

function value(name) {
  if (!match($0, "(\\(|, )" name "=[0-9]+")) return 0
  n = substr($0, RSTART, RLENGTH)
  sub(/.*=/, "", n)
  return n + 0
}

END {
  if (passed < 0) passed = 0  # an error in setUpClass is no test that ran
  if (status != 0 && !failed) failed = 1
  if (status == 0 && passed + failed + skipped == 0) failed = 1  # a file that tests nothing
  print passed + 0, failed + 0, skipped + 0
}
