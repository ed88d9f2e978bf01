use super::*;
use proptest::prelude::*;
use sediment_base::ErrorKind;

fn varint_bytes(value: u64) -> Vec<u8> {
    let mut bytes = Vec::new();
    bytes.put_varint(value);
    bytes
}

#[test]
fn integers_are_little_endian() {
    let mut bytes = Vec::new();
    bytes.put_u16(0x0102);
    bytes.put_u32(0x0304_0506);
    bytes.put_u64(0x0708_090A_0B0C_0D0E);
    bytes.put_varint(300);
    assert_eq!(bytes, [2, 1, 6, 5, 4, 3, 0x0E, 0x0D, 0x0C, 0x0B, 0x0A, 9, 8, 7, 0xAC, 2]);
}

#[test]
fn variable_integers_have_one_spelling() {
    for value in [0, 1, 127, 128, 16_383, 16_384, u64::from(u32::MAX), u64::MAX - 1, u64::MAX] {
        let bytes = varint_bytes(value);
        let mut reader = Reader::new(&bytes);
        assert_eq!((reader.varint().unwrap(), reader.position()), (value, bytes.len()));
    }
    let mut eleven = vec![0x80; 10];
    eleven.push(1);
    let too_large = [0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 2];
    let refused: [&[u8]; 7] = [&[], &[0x80], &[0x80, 0], &[0xFF, 0x80, 0], &too_large, &eleven, &[0xFF; 9]];
    for bytes in refused {
        let mut reader = Reader::new(bytes);
        assert_eq!(reader.varint().unwrap_err().kind(), ErrorKind::Corruption, "{bytes:x?}");
        assert_eq!(reader.position(), 0, "a refused value is not taken");
    }
}

#[test]
fn counts_promise_no_more_than_the_bytes_that_remain() {
    let mut bytes = varint_bytes(4);
    bytes.put_bytes(&[0; 12]);
    assert_eq!(Reader::new(&bytes).count(3).unwrap(), 4);
    assert_eq!(Reader::new(&bytes).count(4).unwrap_err().expected(), Some(("at most 3", "4")));
    assert_eq!(Reader::new(&bytes).count(0).unwrap(), 4);
    assert!(Reader::new(&varint_bytes(u64::MAX)).count(0).is_err());
}

#[test]
fn errors_tell_the_position_and_take_nothing() {
    let mut bytes = vec![7];
    bytes.put_varint(9);
    bytes.put_bytes(b"short");
    let mut reader = Reader::new(&bytes);
    assert_eq!(reader.u8().unwrap(), 7);
    assert!(reader.expect_end().is_err());
    let error = reader.length_prefixed().unwrap_err().at(100).in_file("f".as_ref());
    assert_eq!(error.location().unwrap().offset, Some(102));
    assert_eq!(reader.position(), 1);
    assert!(reader.u64().is_err() && reader.bytes(usize::MAX).is_err());
    assert_eq!(reader.rest(), &bytes[1..]);
    assert!(reader.is_empty() && reader.expect_end().is_ok());
}

#[derive(Clone, Debug, PartialEq)]
enum Value {
    U8(u8),
    U16(u16),
    U32(u32),
    U64(u64),
    Varint(u64),
    Bytes(Vec<u8>),
}

fn value() -> impl Strategy<Value = Value> {
    prop_oneof![
        any::<u8>().prop_map(Value::U8),
        any::<u16>().prop_map(Value::U16),
        any::<u32>().prop_map(Value::U32),
        any::<u64>().prop_map(Value::U64),
        (any::<u64>(), 0_u32..64).prop_map(|(value, shift)| Value::Varint(value >> shift)),
        prop::collection::vec(any::<u8>(), 0..200).prop_map(Value::Bytes),
    ]
}

fn put(bytes: &mut Vec<u8>, value: &Value) {
    match value {
        Value::U8(value) => bytes.put_u8(*value),
        Value::U16(value) => bytes.put_u16(*value),
        Value::U32(value) => bytes.put_u32(*value),
        Value::U64(value) => bytes.put_u64(*value),
        Value::Varint(value) => bytes.put_varint(*value),
        Value::Bytes(value) => bytes.put_length_prefixed(value),
    }
}

fn take(reader: &mut Reader<'_>, like: &Value) -> Result<Value> {
    Ok(match like {
        Value::U8(_) => Value::U8(reader.u8()?),
        Value::U16(_) => Value::U16(reader.u16()?),
        Value::U32(_) => Value::U32(reader.u32()?),
        Value::U64(_) => Value::U64(reader.u64()?),
        Value::Varint(_) => Value::Varint(reader.varint()?),
        Value::Bytes(_) => Value::Bytes(reader.length_prefixed()?.to_vec()),
    })
}

proptest! {
    #[test]
    fn what_was_put_is_taken(values in prop::collection::vec(value(), 0..30)) {
        let mut bytes = Vec::new();
        values.iter().for_each(|value| put(&mut bytes, value));
        let mut reader = Reader::new(&bytes);
        for value in &values {
            prop_assert_eq!(&take(&mut reader, value).unwrap(), value);
        }
        prop_assert!(reader.expect_end().is_ok());
        for end in 0..bytes.len() {
            let mut reader = Reader::new(&bytes[..end]);
            prop_assert!(values.iter().any(|value| take(&mut reader, value).is_err()));
        }
    }

    #[test]
    fn what_was_taken_writes_back_as_the_same_bytes(bytes in prop::collection::vec(any::<u8>(), 0..40), like in value()) {
        let mut reader = Reader::new(&bytes);
        if let Ok(value) = take(&mut reader, &like) {
            let mut again = Vec::new();
            put(&mut again, &value);
            prop_assert_eq!(&again[..], &bytes[..reader.position()]);
        } else {
            prop_assert_eq!(reader.position(), 0);
        }
    }
}
