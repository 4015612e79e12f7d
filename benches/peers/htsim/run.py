#!/usr/bin/env python3
"""fabricsim beside the results that uet-htsim stores with its own inputs.

Runs the experiments of experiments/htsim, which read .cm and .topo files of uet-htsim as they are, and
prints for each when the last acknowledgement reached its sender (upstream's "finished at"), upstream's
figure and the difference. Upstream's control that the receiver exerts is RCCC; ours beside it is `eqds`.

Usage: python3 benches/peers/htsim/run.py
"""

import csv
import pathlib
import subprocess
import sys
import tempfile

sys.path.append(str(pathlib.Path(__file__).resolve().parents[1]))
import ours  # noqa: E402

# Experiment, settings, and per workload upstream's last finish in us under NSCC and RCCC.
CASES = [
    ("nodes-16", [], {
        "one.cm": (176.2, 177.368),
        "bidir.cm": (176.804, 178.18),
        "incast.cm": (2478.53, 2464.44),
        "perm_16n_16c_2MB.cm": (194.022, 195.673),
    }),
    ("nodes-16", ["load_balancing=ecmp"], {"perm_16n_16c_2MB.cm": (527.755, 515.24)}),
    ("nodes-128", [], {"incast_128.cm": (21029.3, 20891.4), "outcast_incast.cm": (1638.08, 1637.76)}),
    ("nodes-1024", [], {"perm_1024n_1024c_0u_2000000b.cm": (200.507, 203.384)}),
    ("oversubscribed", [], {"perm_1024n_1024c_0u_2000000b.cm": (785.774, 749.717)}),
]


def last_acknowledgements(fabricsim, experiment, settings, folder):
    """{(file, transport): us}"""
    changes = [word for setting in settings for word in ("--set", setting)]
    path = ours.ROOT / "experiments/htsim" / f"{experiment}.toml"
    command = [fabricsim, "run", path, "--out", folder, "--quiet", *changes]
    subprocess.run(command, check=True, stdout=subprocess.DEVNULL)
    found = {}
    for point in csv.DictReader(open(folder / "points.csv")):
        file = pathlib.PurePath(point["workload"].rstrip(" }")).name
        flows = csv.DictReader(open(folder / "points" / point["hash"] / "flows.csv"))
        last = max(float(flow["start_us"]) + float(flow["ack_fct_us"]) for flow in flows)
        found[file, "eqds" if "eqds" in point["transport"] else "nscc"] = last
    return found


def main():
    fabricsim = ours.build()
    print("| experiment | file | load balancing | nscc us | upstream NSCC us | | eqds us | upstream RCCC us | |")
    print("|---|---|---|---|---|---|---|---|---|")
    with tempfile.TemporaryDirectory() as name:
        for index, (experiment, settings, stored) in enumerate(CASES):
            found = last_acknowledgements(fabricsim, experiment, settings, pathlib.Path(name) / str(index))
            scheme = "ecmp" if settings else "bitmap"
            for file, upstream in stored.items():
                cells = []
                for control, theirs in zip(("nscc", "eqds"), upstream):
                    own = found[file, control]
                    cells += [f"{own:.2f}", f"{theirs}", f"{own / theirs - 1:+.1%}"]
                print(f"| {experiment} | {file} | {scheme} | {' | '.join(cells)} |")


if __name__ == "__main__":
    main()
