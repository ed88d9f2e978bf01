//! Integers and byte strings: a script of reads over the bytes that follow it.

#![no_main]

use libfuzzer_sys::fuzz_target;
use sediment_codec::coding::{Reader, Writer};

fuzz_target!(|input: &[u8]| {
    sediment_fuzz::switched(input, |bytes, _| {
        let Some((length, rest)) = bytes.split_first() else { return };
        let (script, values) = rest.split_at((*length as usize % 32).min(rest.len()));
        let mut reader = Reader::new(values);
        for op in script {
            let start = reader.position();
            let mut again = Vec::new();
            let taken = match op % 8 {
                0 => reader.u8().map(|value| again.put_u8(value)),
                1 => reader.u16().map(|value| again.put_u16(value)),
                2 => reader.u32().map(|value| again.put_u32(value)),
                3 => reader.u64().map(|value| again.put_u64(value)),
                4 => reader.varint().map(|value| again.put_varint(value)),
                5 => reader.length_prefixed().map(|value| again.put_length_prefixed(value)),
                6 => reader.bytes(usize::from(op / 8)).map(|value| again.put_bytes(value)),
                _ => reader.count(usize::from(op / 8)).map(|count| {
                    assert!(count * usize::from(op / 8) <= reader.remaining());
                    again.put_varint(count as u64);
                }),
            };
            match taken {
                Ok(()) => assert_eq!(again, values[start..reader.position()]),
                Err(_) => assert_eq!(reader.position(), start, "what is refused is not taken"),
            }
            assert_eq!(reader.position() + reader.remaining(), values.len());
        }
        assert_eq!(reader.expect_end().is_ok(), reader.is_empty());
    });
});
