//! The records of a log, and the rule of torn tails.

#![no_main]

use libfuzzer_sys::fuzz_target;
use sediment_codec::frame::{RecordReader, RecordWriter, Step, payload_crc, torn_tail};
use sediment_fuzz::{EPOCH, UUID};

fuzz_target!(|input: &[u8]| {
    sediment_fuzz::switched(input, |bytes, checked| {
        let mut reader = RecordReader::new(UUID, EPOCH, bytes, 0);
        let mut writer = RecordWriter::new(UUID, EPOCH, 0);
        let mut again = Vec::new();
        loop {
            match reader.next() {
                Step::Record { record, payload, start, end } => {
                    assert!(start < end && end == reader.offset() && end <= bytes.len() as u64);
                    writer.append(&record, payload, payload_crc(payload), &mut again).expect("it was appended before");
                }
                Step::End { offset } => break assert_eq!(offset, reader.offset()),
                Step::Damage { offset, error } => {
                    if let Ok(end) = torn_tail(&reader, offset, error) {
                        assert_eq!(end, offset);
                    }
                    break;
                }
            }
        }
        if checked {
            assert_eq!(again, bytes[..again.len()]);
        }
    });
});
