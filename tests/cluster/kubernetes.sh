#!/usr/bin/env bash
# What `fabricsim submit --to kubernetes` hands over, without a cluster: every document fits Kubernetes' schema with nothing that it
# does not know, and the commands of its containers, run one after the other with what an Indexed Job tells its pods, leave the bytes
# that one process writes.
#
# Usage: tests/cluster/kubernetes.sh FABRICSIM     (a built binary)
#
# Takes the schema from the Python package kubernetes-validate; where that cannot be had, says that it is skipped.
set -euo pipefail
fabricsim=$(realpath "$1")
root=$(realpath "$(dirname "$0")/../..")

skip() {
    echo "tests/cluster/kubernetes.sh: skipped: $1"
    exit 0
}
dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT
cd "$dir"
command -v python3 >/dev/null || skip "there is no Python"
(python3 -m venv venv && timeout 120 venv/bin/pip install --quiet kubernetes-validate pyyaml) >/dev/null 2>&1 ||
    skip "its schema cannot be installed"

# A folder and a setting that a shell and YAML would take apart.
sweep=("$root/experiments/quickstart.toml" --set 'sweep."workload.shift.message"=["64KiB"]')
"$fabricsim" run "${sweep[@]}" --out whole --quiet
"$fabricsim" submit "${sweep[@]}" --out "it's: parts" --to kubernetes --shards 4 --throttle 2 --dry-run > job.yaml
venv/bin/kubernetes-validate --strict --quiet --no-warn job.yaml

mkdir bin
ln -s "$fabricsim" bin/fabricsim
PATH=$dir/bin:$PATH venv/bin/python - <<'END'
import os
import subprocess
import yaml

for job in yaml.safe_load_all(open("job.yaml")):
    spec = job["spec"]
    (container,) = spec["template"]["spec"]["containers"]
    told = {pair["name"]: pair["value"] for pair in container.get("env", [])}
    indexed = spec.get("completionMode") == "Indexed"
    for index in range(spec["completions"] if indexed else 1):
        own = {"JOB_COMPLETION_INDEX": str(index)} if indexed else {}
        ran = subprocess.run(container["command"], env={**os.environ, **told, **own}, capture_output=True, text=True)
        assert ran.returncode == 0, ran.stderr
END
cmp whole/results.csv "it's: parts/results.csv"
cmp whole/points.csv "it's: parts/points.csv"
echo "tests/cluster/kubernetes.sh: fits the schema, and its 4 parts merge to the bytes of one process"
