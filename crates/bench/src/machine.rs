//! What the system tells about this process and its host. Where it tells nothing, there is nothing: `/proc` is Linux's.

mod host;
mod process;

pub use host::Host;
pub use process::{ThreadTimes, Usage, anonymous_bytes, cpu_ns, thread_cpu_ns};
