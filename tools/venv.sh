# SPDX-License-Identifier: Apache-2.0
# Makes the virtualenv of the checkout with the exact versions of constraints.txt.  Sourced by run_tests.sh and quickstart.
#
#   nova_make_venv DIRECTORY [EXTRA]     EXTRA is for example "test"

# A Python that is new enough, or nothing.
nova_python() {
    local candidate
    for candidate in "${PYTHON:-}" python3.13 python3.12 python3.11 python3; do
        [[ -n $candidate ]] || continue
        if "$candidate" -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null; then
            command -v "$candidate"
            return 0
        fi
    done
    echo "Python 3.11 or newer is needed." >&2
    return 1
}

# The stamp holds a sum of what decides the content: nothing is done while it is the same.
nova_make_venv() {
    local venv=$1 extra=${2:-} python stamp sum source
    source=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
    stamp="$venv/.stamp${extra:+-$extra}"
    sum=$(cd "$source" && cat setup.py constraints.txt pyproject.toml | sha256sum; echo "$source")
    [[ -e $stamp && "$(cat "$stamp")" == "$sum" ]] && return 0
    python=$(nova_python) || return 1
    echo "Making the virtualenv $venv"
    [[ -x $venv/bin/python ]] || "$python" -m venv "$venv" || return 1
    "$venv/bin/python" -m pip install -q --disable-pip-version-check --retries 5 \
        -c "$source/constraints.txt" -e "$source${extra:+[$extra]}" || return 1
    printf '%s\n' "$sum" >"$stamp"
}
