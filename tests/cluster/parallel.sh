#!/usr/bin/env bash
# What `fabricsim submit --to parallel` hands over, run by GNU parallel on this machine: a part that is terminated ends the script
# before the merge, the same command goes on from there, and what is merged equals what one process writes, byte for byte.
#
# Usage: tests/cluster/parallel.sh FABRICSIM     (a built binary)
#
# Installs GNU parallel from Debian's packages where it is missing and that is possible; else says that it is skipped.
set -euo pipefail
fabricsim=$(realpath "$1")
root=$(realpath "$(dirname "$0")/../..")

skip() {
    echo "tests/cluster/parallel.sh: skipped: $1"
    exit 0
}
fail() {
    echo "tests/cluster/parallel.sh: $1" >&2
    exit 1
}
gnu() { parallel --version 2>/dev/null | grep -q "GNU parallel"; }
if ! gnu; then
    command -v apt-get >/dev/null && [ "$(id -u)" -eq 0 ] || skip "GNU parallel is not installed"
    (apt-get update -qq && apt-get install -y -qq --no-install-recommends parallel) >/dev/null 2>&1 && gnu ||
        skip "GNU parallel cannot be installed"
fi

dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT
cd "$dir"
# Points that take about a tenth of a second each; a folder and a setting that a shell would take apart.
sweep=("$root/experiments/quickstart.toml" --set 'sweep."workload.shift.message"=["4MiB"]')
submit=("$fabricsim" submit "${sweep[@]}" --out "it's parts" --to parallel --shards 4 --throttle 2)
"$fabricsim" run "${sweep[@]}" --out whole --quiet

# The first part that is seen is terminated: 75, which is no success, so that nothing is merged.
"${submit[@]}" > log 2>&1 &
script=$!
terminated=no
while kill -0 "$script" 2>/dev/null; do
    part=$(pgrep -f -- "--out it's parts --quiet --shard [0-9]+/4" | while read -r pid; do
        [ "$(realpath -q "/proc/$pid/exe")" = "$fabricsim" ] && echo "$pid" && break
    done) || true
    if [ -n "$part" ] && kill -TERM "$part" 2>/dev/null; then
        terminated=yes
        break
    fi
done
code=0
wait "$script" || code=$?
if [ "$terminated" = yes ] && grep -q "goes on from here" log; then
    [ "$code" -ne 0 ] || fail "a part was terminated, and the script did not fail"
    [ ! -e "it's parts/results.csv" ] || fail "merged though a part was terminated"
fi

"${submit[@]}" > log 2>&1 || fail "$(cat log)"
cmp whole/results.csv "it's parts/results.csv"
cmp whole/points.csv "it's parts/points.csv"
echo "tests/cluster/parallel.sh: 4 parts by GNU parallel merge to the bytes of one process (terminated first: $terminated, exit code $code)"
