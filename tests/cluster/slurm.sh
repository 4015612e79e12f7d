#!/usr/bin/env bash
# A sweep as a job array on a real Slurm on this machine's loopback, with a shard that is terminated and requeued: what is
# merged equals what one process writes, byte for byte.
#
# Usage: tests/cluster/slurm.sh FABRICSIM     (a built binary)
#
# Installs Slurm from Debian's packages where it is missing and that is possible; else says that it is skipped.
set -euo pipefail
fabricsim=$(realpath "$1")
root=$(realpath "$(dirname "$0")/../..")

skip() {
    echo "tests/cluster/slurm.sh: skipped: $1"
    exit 0
}
[ "$(id -u)" -eq 0 ] || skip "Slurm on loopback is started as root"
if ! command -v slurmctld slurmd sbatch munged >/dev/null; then
    command -v apt-get >/dev/null || skip "Slurm is not installed"
    packages=(slurmctld slurmd slurm-client munge)
    (apt-get update -qq && apt-get install -y -qq --no-install-recommends "${packages[@]}") >/dev/null 2>&1 ||
        skip "Slurm cannot be installed"
fi

dir=$(mktemp -d)
cd "$dir"
mkdir -p state spool log run
chmod 755 . run
stop() {
    for daemon in slurmd slurmctld munged; do
        [ -f "run/$daemon.pid" ] && kill "$(cat "run/$daemon.pid")" 2>/dev/null || true
    done
    sleep 1
    rm -rf "$dir"
}
trap stop EXIT
host=$(hostname)
cpus=$(nproc)
dd if=/dev/urandom of=munge.key bs=1 count=1024 status=none
chmod 400 munge.key
cat > slurm.conf <<END
ClusterName=loop
SlurmctldHost=$host(127.0.0.1)
SlurmUser=root
SlurmdUser=root
AuthType=auth/munge
AuthInfo=socket=$dir/run/munge.socket,cred_expire=5
CredType=cred/munge
CommunicationParameters=NoInAddrAny,NoCtldInAddrAny
SlurmctldPort=16817
SlurmdPort=16818
SrunPortRange=16900-16950
StateSaveLocation=$dir/state
SlurmdSpoolDir=$dir/spool
SlurmctldPidFile=$dir/run/slurmctld.pid
SlurmdPidFile=$dir/run/slurmd.pid
SlurmctldLogFile=$dir/log/slurmctld.log
SlurmdLogFile=$dir/log/slurmd.log
ProctrackType=proctrack/linuxproc
TaskPlugin=task/none
JobAcctGatherType=jobacct_gather/none
AccountingStorageType=accounting_storage/none
JobCompType=jobcomp/none
MpiDefault=none
SwitchType=switch/none
SelectType=select/cons_tres
SelectTypeParameters=CR_Core
SchedulerType=sched/backfill
SchedulerParameters=sched_min_interval=0,batch_sched_delay=0,sched_interval=1,bf_interval=1,default_queue_depth=1000
ReturnToService=2
MaxArraySize=1001
NodeName=$host NodeAddr=127.0.0.1 CPUs=$cpus RealMemory=1000 State=UNKNOWN
PartitionName=sim Nodes=$host Default=YES MaxTime=INFINITE State=UP
END
munged --key-file="$dir/munge.key" --socket="$dir/run/munge.socket" --pid-file="$dir/run/munged.pid" \
    --log-file="$dir/log/munged.log" --seed-file="$dir/run/munge.seed" --num-threads=2
export SLURM_CONF=$dir/slurm.conf
slurmctld || skip "slurmctld does not start here"
sleep 1
slurmd || skip "slurmd does not start here"
for _ in $(seq 20); do
    sinfo -h -o %t 2>/dev/null | grep -q idle && break
    sleep 1
done
sinfo -h -o %t | grep -q idle || skip "the node does not come up here"

wait_for() { # until no job of that name is left
    for _ in $(seq 240); do
        # A requeued task waits for its begin time: not here.
        for task in $(squeue -h -r -t PENDING -o %i 2>/dev/null); do
            scontrol update JobId="$task" StartTime=now 2>/dev/null || true
        done
        [ -z "$(squeue -h -o %i)" ] && return
        sleep 0.5
    done
    squeue
    echo "tests/cluster/slurm.sh: jobs do not end" >&2
    exit 1
}

# Points that take about a tenth of a second each.
sweep=("$root/experiments/quickstart.toml" --set 'sweep."workload.shift.message"=["4MiB"]')
"$fabricsim" run "${sweep[@]}" --out whole --quiet
"$fabricsim" submit "${sweep[@]}" --out parts --to slurm --shards 4 --throttle 2
# Slurm sends its signal to the shell of a task, which passes it on; a task that is too fast for it is done anyway.
for _ in $(seq 100); do
    task=$(squeue -h -r -t RUNNING -o %i | head -n 1)
    if [ -n "$task" ] && [ -d parts/points ]; then
        sleep 0.1
        scancel --batch --signal=TERM "$task" 2>/dev/null || true
        break
    fi
    sleep 0.05
done
wait_for
requeued=$( (grep -ls "goes on from here" slurm-*.out || true) | wc -l)
cmp whole/results.csv parts/results.csv
cmp whole/points.csv parts/points.csv
echo "tests/cluster/slurm.sh: a job array of 4 shards merges to the bytes of one process ($requeued requeued)"
