#!/usr/bin/env python3
"""The transport solvers beside Python POT and scipy: both in one go, on one thread, in user CPU seconds.

    python3 benches/peers/pot/run.py [FILTER]

Runs the problems whose name contains FILTER, such as "network simplex". Installs POT and scipy from PyPI into a temporary
folder, builds the benchmark, and prints the ratio of the two times. Both sides solve problems of the same kind and size
(costs uniform in [0, 1], lognormal masses), drawn by each for itself.
"""

import os
import pathlib
import re
import subprocess
import sys
import tempfile

ROOT = pathlib.Path(__file__).resolve().parents[3]

PEER = """
import resource, sys, warnings
import numpy as np, ot
from scipy.optimize import linear_sum_assignment

warnings.filterwarnings("ignore")
draw = np.random.default_rng(1)

def user(): return resource.getrusage(resource.RUSAGE_SELF).ru_utime

def row(name, work, runs=2):
    if sys.argv[1] not in name:
        return
    times = []
    for _ in range(runs):
        start = user()
        work()
        times.append(user() - start)
    print(f"{name}\\t{min(times)}", flush=True)

def masses(n):
    m = draw.lognormal(size=n)
    return m / m.sum()

for n, m in [(1024, 1024), (4096, 4096), (100000, 64)]:
    cost, a, b = draw.random((n, m)), masses(n), masses(m)
    for name, method in [("log", "sinkhorn_log"), ("stabilised", "sinkhorn_stabilized")]:
        row(f"sinkhorn {name} {n} x {m}, 20 iterations",
            lambda: ot.sinkhorn(a, b, cost, 0.05, method=method, numItermax=20, stopThr=1e-300), 1 if n == 4096 else 2)
    if n == m:
        a = b = np.full(n, 1 / n)
    row(f"network simplex {n} x {m}", lambda: ot.emd(a, b, cost, numItermax=10**8), 1)
for n in [1024, 4096]:
    cost = draw.random((n, n))
    row(f"assignment {n}", lambda: linear_sum_assignment(cost))
"""


def single_threaded():
    """The environment without anything that picks threads or instructions for the peer."""
    env = {k: v for k, v in os.environ.items() if k not in ("OPENBLAS_CORETYPE", "NPY_DISABLE_CPU_FEATURES")}
    for name in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"):
        env[name] = "1"
    return env


def peer(chosen):
    with tempfile.TemporaryDirectory() as folder:
        python = pathlib.Path(folder) / "bin" / "python"
        subprocess.run([sys.executable, "-m", "venv", folder], check=True)
        subprocess.run([python, "-m", "pip", "install", "--quiet", "pot", "scipy"], check=True)
        version = "import ot, scipy; print('POT', ot.__version__, 'scipy', scipy.__version__)"
        subprocess.run([python, "-c", version], check=True, env=single_threaded())
        run = subprocess.run([python, "-c", PEER, chosen], check=True, capture_output=True, text=True, env=single_threaded())
    lines = (line.split("\t") for line in run.stdout.splitlines())
    return {name: float(seconds) for name, seconds in lines}


def ours(chosen):
    command = ["cargo", "bench", "--bench", "optimal_transport", "--", chosen]
    run = subprocess.run(command, cwd=ROOT, check=True, capture_output=True, text=True)
    print(run.stdout.splitlines()[0])
    # Name, CPU seconds, the user's part of them.
    rows = (re.match(r"(.*?)\s{2,}[\d.]+\s+([\d.]+)\s", line) for line in run.stdout.splitlines())
    return {row[1]: float(row[2]) for row in rows if row}


def main():
    chosen = sys.argv[1] if len(sys.argv) > 1 else ""
    mine, theirs = ours(chosen), peer(chosen)
    print(f"{'problem':<44} {'fabricsim s':>12} {'peer s':>10} {'ratio':>8}")
    for name, seconds in theirs.items():
        if name in mine:
            print(f"{name:<44} {mine[name]:>12.4f} {seconds:>10.4f} {seconds / mine[name]:>8.1f}")


if __name__ == "__main__":
    main()
