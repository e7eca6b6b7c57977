#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
#
# Installs what the tests need and runs them:
#
#   ./run_tests.sh                      everything: style, unit, functional, integration, security
#   ./run_tests.sh unit [pytest args]   one part; without arguments of their own all tests of it
#
# All parts are run even when one fails; the last line says how many tests passed and failed.  Nothing that is missing is
# passed over: it is installed, or the run fails.

set -u -o pipefail
cd "$(dirname "$0")" || exit 1
umask 022
export LC_ALL=C.UTF-8 PYTHONDONTWRITEBYTECODE=1

source tools/packages.sh
source tools/venv.sh

VENV=$PWD/.venv
PARTS=(style unit functional integration security)
REPORTS=$(mktemp -d)
trap 'rm -rf "$REPORTS"' EXIT

usage() {
    sed -n '4,11s/^# \{0,1\}//p' "$0"
}

prepare() {
    local part=$1
    case $part in
        style) nova_install_packages "${NOVA_BUILD_PACKAGES[@]}" ;;
        *) nova_install_packages ;;
    esac && nova_make_venv "$VENV" test
}

has_tests() {
    [[ -n "$(find "tests/$1" -name 'test_*.py' -print -quit 2>/dev/null)" ]]
}

# pytest on one directory, with a machine-readable count beside its output.
run_pytest() {
    local part=$1
    shift
    if ! has_tests "$part"; then
        echo "tests/$part holds no tests yet"
        return 0
    fi
    "$VENV/bin/python" -m pytest --junit-xml="$REPORTS/$part.xml" "tests/$part" "$@"
}

part_style() {
    local failed=0
    "$VENV/bin/ruff" check . || failed=1
    "$VENV/bin/ruff" format --check . || failed=1
    "$VENV/bin/mypy" || failed=1
    "$VENV/bin/lint-imports" || failed=1
    "$VENV/bin/sphinx-build" -q -W --keep-going -b html doc "$REPORTS/html" || failed=1
    return $failed
}

part_unit() { run_pytest unit -n "${UNIT_WORKERS:-2}" --cov --cov-report=term:skip-covered "$@"; }
part_functional() { run_pytest functional -n "${FUNCTIONAL_WORKERS:-2}" "$@"; }
part_integration() { run_pytest integration "$@"; }
part_security() { run_pytest security "$@"; }

# Adds up the counts of all parts.
totals() {
    "$(nova_python)" - "$REPORTS" <<'PYTHON'
import pathlib, sys, xml.etree.ElementTree as tree
passed = failed = skipped = 0
for path in pathlib.Path(sys.argv[1]).glob("*.xml"):
    for suite in tree.parse(path).getroot().iter("testsuite"):
        bad = int(suite.get("failures", 0)) + int(suite.get("errors", 0))
        left_out = int(suite.get("skipped", 0))
        failed += bad
        skipped += left_out
        passed += int(suite.get("tests", 0)) - bad - left_out
print(f"{passed} passed, {failed} failed" + (f", {skipped} skipped" if skipped else ""))
PYTHON
}

run_part() {
    local part=$1 began=$SECONDS
    shift
    echo "=== $part ==="
    if prepare "$part" && "part_$part" "$@"; then
        RESULTS+=("$part: ok, $((SECONDS - began)) s")
    else
        RESULTS+=("$part: FAILED, $((SECONDS - began)) s")
        FAILED=1
    fi
}

RESULTS=()
FAILED=0
case ${1:-all} in
    -h | --help | help) usage; exit 0 ;;
    all) for part in "${PARTS[@]}"; do run_part "$part"; done ;;
    style | unit | functional | integration | security) run_part "$@" ;;
    *) echo "There is no part '$1'." >&2; usage >&2; exit 2 ;;
esac

echo "=== summary ==="
printf '%s\n' "${RESULTS[@]}"
totals
exit "$FAILED"
