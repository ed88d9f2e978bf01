//! Tokens of scans in parts: gone on with to their end, or refused.

#![no_main]

use libfuzzer_sys::fuzz_target;
use sediment_fuzz::tokens;
use sedimentdb::{Db, ErrorKind, Keyspace, Result, ScanPart, Snapshot};
use std::sync::LazyLock;

static SAMPLE: LazyLock<(Db, Keyspace, Snapshot)> = LazyLock::new(tokens::sample);

/// Bytes of a token that are its sum.
const SUM_BYTES: usize = 4;

fuzz_target!(|input: &[u8]| {
    LazyLock::force(&SAMPLE);
    sediment_fuzz::switched(input, |bytes, _| {
        let (_, users, snapshot) = &*SAMPLE;
        walk(bytes, |token| users.next_part(token, tokens::limits()));
        walk(bytes, |token| snapshot.next_part(users, token, tokens::limits()));
    });
});

fn walk(bytes: &[u8], next_part: impl Fn(&[u8]) -> Result<ScanPart>) {
    let mut part = match next_part(bytes) {
        Ok(part) => part,
        Err(error) => return assert_eq!(error.kind(), ErrorKind::InvalidInput),
    };
    if let Some(token) = part.token() {
        assert_eq!(token.get(SUM_BYTES..), bytes.get(SUM_BYTES..), "what was read is written back");
    }
    let mut rows = 0;
    loop {
        rows += part.by_ref().map(|row| row.expect("a sound disk")).count();
        assert!(rows <= 20, "no row comes twice");
        let Some(token) = part.token() else { return };
        part = next_part(&token).expect("its own token");
    }
}
