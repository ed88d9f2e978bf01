//! Writing all of something with a call that may write less.

use sediment_base::planted::{Bug, planted};
use std::io;

/// Calls `write` until all of `bytes` is written, whatever pieces the system takes and however often a signal interrupts.
pub(super) fn write_whole(offset: u64, bytes: &[u8], mut write: impl FnMut(u64, &[u8]) -> io::Result<usize>) -> io::Result<()> {
    let mut done = 0;
    while done < bytes.len() {
        match write(offset + done as u64, &bytes[done..]) {
            Ok(0) => return Err(io::ErrorKind::WriteZero.into()),
            Ok(count) => done += count,
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(error) => return Err(error),
        }
        if planted(Bug::IgnoreShortWrite) {
            break;
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pieces_and_interruptions_are_joined() {
        let mut written = Vec::new();
        let mut calls = 0;
        let result = write_whole(7, b"sediment", |offset, bytes| {
            calls += 1;
            if calls == 2 {
                return Err(io::ErrorKind::Interrupted.into());
            }
            assert_eq!(offset, 7 + written.len() as u64);
            written.extend_from_slice(&bytes[..bytes.len().min(3)]);
            Ok(bytes.len().min(3))
        });
        assert!(result.is_ok() && written == b"sediment" && calls == 4);
    }

    #[test]
    fn a_disk_that_takes_nothing_is_an_error() {
        assert!(write_whole(0, b"x", |_, _| Ok(0)).is_err_and(|error| error.kind() == io::ErrorKind::WriteZero));
    }
}
