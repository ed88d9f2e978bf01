//! What a run can be told. The defaults are those of `docs/benchmarks.md`.

use clap::{Args, ValueEnum};
use sediment_bench::text::{parse_bytes, parse_seconds};
use serde::{Deserialize, Serialize};

/// The same for every engine. Sizes are in bytes.
#[derive(Clone, Debug, Args, Serialize, Deserialize)]
pub(crate) struct Settings {
    /// Number of keys
    #[arg(long, default_value_t = 1_000_000, value_name = "COUNT", value_parser = clap::value_parser!(u64).range(1000..=1 << 29))]
    pub(crate) keys: u64,
    /// Size of a key: prefix, 8 bytes of number, filler
    #[arg(long, default_value_t = 16, value_name = "BYTES")]
    pub(crate) key_size: usize,
    /// What every key begins with
    #[arg(long, default_value = "", value_name = "TEXT")]
    pub(crate) key_prefix: String,
    /// Size of a value
    #[arg(long, default_value = "100", value_parser = parse_bytes, value_name = "BYTES")]
    pub(crate) value_size: usize,
    /// Memory of the engine: write buffers and cached blocks
    #[arg(long, default_value = "256MiB", value_parser = parse_bytes, value_name = "BYTES")]
    pub(crate) memory: usize,
    /// What a write survives when its call returns [default: by workload]
    #[arg(long, value_enum)]
    pub(crate) durability: Option<Durability>,
    /// How tables are compressed; with LZ4, half of each value repeats, unless it is JSON
    #[arg(long, value_enum, default_value_t = Compression::None)]
    pub(crate) compression: Compression,
    /// Values are rows of JSON, of at least 300 bytes
    #[arg(long)]
    pub(crate) json_values: bool,
    /// Sediment's goal is space; what compresses its tables then follows from that
    #[arg(long)]
    pub(crate) space: bool,
    /// How long to measure, where the number of keys does not say it [default: 3; `paced`: 600]
    #[arg(long, value_parser = parse_seconds)]
    pub(crate) seconds: Option<f64>,
    /// Writes that are due in a second, where there is a schedule
    #[arg(long, default_value_t = 200_000, value_name = "COUNT", value_parser = clap::value_parser!(u64).range(1..=1 << 30))]
    #[serde(default)]
    pub(crate) rate: u64,
    /// How long nothing must happen in the background before an engine counts as drained, in seconds
    #[arg(long, default_value = "5", value_parser = parse_seconds, value_name = "SECONDS")]
    pub(crate) quiet: f64,
    /// Seed of keys, values and their order
    #[arg(long, default_value_t = 1)]
    pub(crate) seed: u64,
    /// Take the time of each operation, for percentiles; costs two readings of the clock each
    #[arg(long)]
    pub(crate) latency: bool,
}

impl Settings {
    /// As arguments of this program.
    pub(crate) fn arguments(&self) -> Vec<String> {
        let mut arguments = Vec::new();
        let mut add = |name: &str, value: String| arguments.extend([format!("--{name}"), value]);
        add("keys", self.keys.to_string());
        add("key-size", self.key_size.to_string());
        add("key-prefix", self.key_prefix.clone());
        add("value-size", self.value_size.to_string());
        add("memory", self.memory.to_string());
        if let Some(durability) = self.durability {
            add("durability", typed(durability));
        }
        add("compression", typed(self.compression));
        if let Some(seconds) = self.seconds {
            add("seconds", seconds.to_string());
        }
        add("rate", self.rate.to_string());
        add("quiet", self.quiet.to_string());
        add("seed", self.seed.to_string());
        arguments.extend(self.latency.then(|| "--latency".to_owned()));
        arguments.extend(self.json_values.then(|| "--json-values".to_owned()));
        arguments.extend(self.space.then(|| "--space".to_owned()));
        arguments
    }
}

/// A choice as it is typed.
pub(crate) fn typed(choice: impl ValueEnum) -> String {
    choice.to_possible_value().expect("no choice is hidden").get_name().to_owned()
}

/// What a write survives.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, ValueEnum)]
#[serde(rename_all = "lowercase")]
pub(crate) enum Durability {
    /// A clean close
    Memory,
    /// The death of the process
    Os,
    /// Loss of power
    Sync,
}

/// How blocks of tables are compressed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, ValueEnum)]
#[serde(rename_all = "lowercase")]
pub(crate) enum Compression {
    /// As they are
    None,
    /// LZ4, where the engine has it
    Lz4,
}
