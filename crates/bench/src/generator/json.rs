//! Rows of JSON.

use super::random::Random;

/// The shortest row that has room for everything.
pub const BYTES_MIN: usize = 300;

const NAMES: [&str; 16] = [
    "anna", "bertil", "cecilia", "david", "erik", "fatima", "georg", "hanna", "ivan", "julia", "karl", "lena", "mats", "nora",
    "olof", "petra",
];
const CITIES: [&str; 8] = ["Stockholm", "Gothenburg", "Uppsala", "Lund", "Kiruna", "Visby", "Karlstad", "Falun"];
const STATES: [&str; 4] = ["created", "paid", "shipped", "returned"];
const NOTES: [&str; 4] = [
    "please leave the parcel with the neighbours if nobody opens the door, they know about it and will bring it over in the evening",
    "the invoice goes to the address of the company, not to the one that the goods are sent to, and needs the number of the project",
    "ring twice, the first floor on the left, and mind the dog in the yard, who is friendly but does not like bicycles very much",
    "gift: no prices inside, and the card that was chosen with the order goes on top of the box where it is seen when it is opened",
];

/// An order of a shop, with as many items as there is room for, `size` bytes long in all.
pub fn row(random: &mut Random, size: usize) -> Vec<u8> {
    let mut below = |count: u64| random.below(count);
    let name = NAMES[below(16) as usize];
    let (city, state, note) = (CITIES[below(8) as usize], STATES[below(4) as usize], NOTES[below(4) as usize]);
    let customer = format!("{{\"id\":{},\"name\":\"{name}\",\"city\":\"{city}\"}}", below(1_000_000));
    let (month, day, hour, minute) = (below(12) + 1, below(28) + 1, below(24), below(60));
    let time = format!("2024-{month:02}-{day:02}T{hour:02}:{minute:02}:{:02}Z", below(60));
    let mut row = format!(
        "{{\"order\":{},\"customer\":{customer},\"created_at\":\"{time}\",\"state\":\"{state}\",\"items\":[",
        below(1 << 32)
    );
    loop {
        let (article, price) = (below(20_000), below(100_000));
        let item = format!(
            "{{\"article\":\"A-{article:05}\",\"quantity\":{},\"unit_price\":{}.{:02},\"currency\":\"SEK\"}}",
            below(9) + 1,
            price / 100,
            price % 100
        );
        if row.len() + item.len() + 20 > size {
            break;
        }
        row.push_str(&item);
        row.push(',');
    }
    row.pop();
    row.push_str("],\"note\":\"");
    let end = size.saturating_sub(2);
    row.extend(note.chars().cycle().take(end.saturating_sub(row.len())));
    row.push_str("\"}");
    row.into_bytes()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rows_are_json_of_the_size_that_was_asked_for() {
        let mut random = Random::new(7);
        for size in [BYTES_MIN, 400, 1001] {
            for _ in 0..1000 {
                let row = row(&mut random, size);
                assert_eq!(row.len(), size);
                let read: serde_json::Value = serde_json::from_slice(&row).expect("it is JSON");
                assert!(read["items"].as_array().is_some_and(|items| !items.is_empty()), "{read}");
            }
        }
    }
}
