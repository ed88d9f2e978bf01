//! What the system tells about this process and its host. Where it tells nothing, there is nothing: `/proc` is Linux's.

mod host;
mod process;

pub(crate) use host::Host;
pub(crate) use process::{ThreadTimes, Usage, anonymous_bytes, cpu_ns};
