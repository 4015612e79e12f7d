#!/usr/bin/env bash
# What `fabricsim submit --to hyperqueue` hands over, run by HyperQueue's own server and worker: parts learn their number from it,
# an experiment that is wrong ends the script, and what is merged equals what one process writes, byte for byte.
#
# Usage: tests/cluster/hyperqueue.sh FABRICSIM     (a built binary)
#
# Takes HyperQueue's Python package, which has no command `hq`: hq.py stands in for it. Where the package cannot be had, says that
# it is skipped.
set -euo pipefail
fabricsim=$(realpath "$1")
root=$(realpath "$(dirname "$0")/../..")

skip() {
    echo "tests/cluster/hyperqueue.sh: skipped: $1"
    exit 0
}
dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT
cd "$dir"
command -v python3 >/dev/null || skip "there is no Python"
(python3 -m venv venv && timeout 120 venv/bin/pip install --quiet hyperqueue) >/dev/null 2>&1 || skip "its package cannot be installed"
mkdir bin home
printf '#!/bin/sh\nexec "%s" "%s" "$@"\n' "$dir/venv/bin/python" "$root/tests/cluster/hq.py" > bin/hq
chmod +x bin/hq
HOME=$dir/home timeout 60 bin/hq submit --name probe --array 0-0 --wait -- true >/dev/null 2>&1 || skip "its server does not run here"

# The folder and the setting are such as a shell would take apart.
sweep=("$root/experiments/quickstart.toml" --set 'sweep."workload.shift.message"=["4MiB"]')
submit() {
    HOME=$dir/home PATH=$dir/bin:$PATH timeout 300 "$fabricsim" submit "${sweep[@]}" --out "$1" --to hyperqueue --shards 4
}
"$fabricsim" run "${sweep[@]}" --out whole --quiet
submit "it's parts" > log 2>&1 || { cat log >&2; exit 1; }
cmp whole/results.csv "it's parts/results.csv"
cmp whole/points.csv "it's parts/points.csv"

# A part that fails ends the script before the merge.
touch taken
if submit taken > log 2>&1; then
    echo "tests/cluster/hyperqueue.sh: parts could not write their folder, and the script did not fail" >&2
    exit 1
fi
echo "tests/cluster/hyperqueue.sh: 4 parts by HyperQueue merge to the bytes of one process"
