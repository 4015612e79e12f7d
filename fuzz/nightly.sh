#!/usr/bin/env bash
# A million mutated inputs for every kind of file. With cargo-fuzz and a nightly toolchain they are guided by what they
# reach; without, they are those of tests/fuzz.rs.
set -euo pipefail
cd "$(dirname "$0")/.."
runs=${1:-1000000}

if ! cargo +nightly fuzz --version > /dev/null 2>&1; then
    echo "cargo-fuzz or a nightly toolchain is missing: blind mutations" >&2
    FUZZ_MUTATIONS=$runs exec cargo test --locked --release --test integration -- --nocapture fuzz::
fi

seeds() {
    case $1 in
        connection_matrix) find tests workloads -name '*.cm' ;;
        topo) find tests -name '*.topo' ;;
        experiment) find tests experiments topologies -name '*.toml' ;;
        plan_file) find tests -name '*.json' ;;
        flows) find tests -name '*.csv' ;;
        trace) find tests -name '*.goal' -o -name '*.et' -o -name '*.xml' -o -name '*.json' -o -path '*simai*.txt' ;;
    esac
}
for target in connection_matrix topo experiment plan_file flows trace; do
    mkdir -p "fuzz/corpus/$target"
    seeds "$target" | while read -r file; do
        cp "$file" "fuzz/corpus/$target/$(echo "$file" | tr / _)"
    done
    cargo +nightly fuzz run "$target" -- -runs="$runs" -max_len=65536 -timeout=30 -rss_limit_mb=2048
done
