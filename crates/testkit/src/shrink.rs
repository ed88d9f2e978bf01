//! Shrinking: the smallest part of a failing list that still fails (delta debugging).

/// Removes ever smaller pieces of `items` for as long as what is left still fails. `fails` is asked a few hundred times.
pub fn shrink<T: Clone>(items: &[T], fails: &mut dyn FnMut(&[T]) -> bool) -> Vec<T> {
    let mut items = items.to_vec();
    let mut piece = items.len().div_ceil(2);
    while piece > 0 {
        let before = items.len();
        let mut start = 0;
        while start < items.len() {
            let end = (start + piece).min(items.len());
            let rest = [&items[..start], &items[end..]].concat();
            if fails(&rest) {
                items = rest;
            } else {
                start = end;
            }
        }
        piece = if piece == 1 && items.len() < before { 1 } else { piece / 2 };
    }
    items
}

#[cfg(test)]
mod tests {
    use super::shrink;

    #[test]
    fn only_what_matters_is_left() {
        let items: Vec<u32> = (0..1000).collect();
        let mut asked = 0;
        let small = shrink(&items, &mut |items| {
            asked += 1;
            items.contains(&17)
                && items.contains(&900)
                && items.iter().position(|i| *i == 17) < items.iter().position(|i| *i == 900)
        });
        assert_eq!(small, [17, 900]);
        assert!(asked < 300, "asked {asked} times");
    }
}
