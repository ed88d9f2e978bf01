# The commands of this repository. Each is plain cargo: without `just`, copy the line.

planted := "RUSTFLAGS='--cfg planted_bugs' CARGO_TARGET_DIR=target/planted"
soak := "cargo test --profile soak --package sedimentdb --test it"

# What a change must pass.
check: fmt lint tidy test

# Formatting.
fmt:
    cargo fmt --all --check

# Clippy, warnings are errors.
lint:
    cargo clippy --workspace --all-targets -- -D warnings

# Layers, sizes, banned text, documents; `just tidy --bless` accepts documents that were read again.
tidy *args:
    cargo xtask tidy {{args}}

# All tests.
test:
    cargo test --workspace

# Random operations against a map of all versions: 20 seeds of 50,000.
model seeds="20" ops="50000":
    SEDIMENT_MODEL_SEEDS={{seeds}} SEDIMENT_MODEL_OPS={{ops}} {{soak}} model:: -- --nocapture

# The same of a bare tree, with all it can do, under two orders of keys and other settings for each seed.
tree-model seeds="50" steps="100000":
    SEDIMENT_TREE_SEEDS={{seeds}} SEDIMENT_TREE_STEPS={{steps}} cargo test --profile soak --package sediment-tree --test it -- compare:: watermark_model:: --nocapture

# Crash images at every file-system call of every script.
crash images="100000":
    SEDIMENT_CRASH_STRIDE=1 SEDIMENT_CRASH_IMAGES={{images}} {{soak}} crash:: -- --nocapture

# Every file-system call of the scripts fails once, and from then on.
faults:
    SEDIMENT_FAULT_STRIDE=1 {{soak}} faults:: -- --nocapture

# Bugs planted on purpose: the tests must find each.
planted:
    {{planted}} {{soak}} planted:: -- --nocapture

# A real process that writes to a real disk is killed.
kill rounds="100":
    SEDIMENT_KILL_ROUNDS={{rounds}} {{soak}} kill:: -- --nocapture

# One fuzz target (`just fuzz` lists them) for so many seconds, from the seeds that the writers make.
fuzz target="" seconds="60":
    .ci/fuzz {{seconds}} {{target}}

# Everything long, for hours: a fresh seed range each time.
soak hours="1":
    #!/usr/bin/env bash
    set -eu
    end=$(( $(date +%s) + {{hours}} * 3600 ))
    first=$(date +%s)
    while [ "$(date +%s)" -lt "$end" ]; do
        SEDIMENT_FIRST_SEED=$first SEDIMENT_MODEL_SEEDS=20 SEDIMENT_MODEL_OPS=50000 {{soak}} model::
        SEDIMENT_FIRST_SEED=$first SEDIMENT_CRASH_STRIDE=1 SEDIMENT_CRASH_IMAGES=1000000 {{soak}} crash::
        SEDIMENT_KILL_ROUNDS=100 {{soak}} kill::
        first=$(( first + 100000 ))
    done

# The unsafe crate under Miri (needs a nightly toolchain with the component).
miri:
    cargo +nightly miri test --package sediment-raw --lib --test it

# The unsafe crate under loom.
loom:
    RUSTFLAGS="--cfg loom" CARGO_TARGET_DIR=target/loom LOOM_MAX_PREEMPTIONS=2 cargo test --release --package sediment-raw --test loom

# One workload of docs/benchmarks.md: `just bench readrandom`, `just bench mixed --seconds 60 --plots target/plots`.
bench workload *args:
    cargo run --quiet --release --package sediment-bench -- {{workload}} {{args}}

# The API documentation; broken links are errors.
docs:
    RUSTDOCFLAGS="-D warnings" cargo doc --workspace --no-deps

# Writes the golden files of this format anew. Only for a new format version: older files must stay as they are.
golden:
    REWRITE=1 cargo test --workspace golden

# Licences, advisories, duplicate crates (needs cargo-deny).
deny:
    cargo deny check
