//! Which known key somebody meant who wrote an unknown one.

/// The most letters that may differ between what was written and what was meant.
const DISTANCE_MAX: usize = 2;

/// Returns a line that names the key that was meant, or nothing.
pub(super) fn line(error: &toml::de::Error) -> String {
    meant(error.message()).map_or_else(String::new, |key| format!("hint: did you mean `{key}`?\n"))
}

/// Finds the nearest key in a message of the form ``unknown field `x`, expected one of `a`, `b` ``.
fn meant(message: &str) -> Option<&str> {
    let mut quoted = message.strip_prefix("unknown field ")?.split('`').skip(1).step_by(2);
    let written = quoted.next()?;
    quoted
        .map(|key| (distance(written, key), key))
        .filter(|(distance, key)| *distance <= DISTANCE_MAX && *distance < key.chars().count())
        .min()
        .map(|(_, key)| key)
}

/// Letters to insert, remove or replace until one word is the other (Levenshtein).
fn distance(one: &str, other: &str) -> usize {
    let other: Vec<char> = other.chars().collect();
    let mut row: Vec<usize> = (0..=other.len()).collect();
    for (i, letter) in one.chars().enumerate() {
        let mut diagonal = row[0];
        row[0] = i + 1;
        for (j, &against) in other.iter().enumerate() {
            let replaced = diagonal + usize::from(letter != against);
            diagonal = row[j + 1];
            row[j + 1] = replaced.min(row[j] + 1).min(diagonal + 1);
        }
    }
    row[other.len()]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn distances() {
        for (one, other, expected) in
            [("", "", 0), ("abc", "", 3), ("seed", "seeds", 1), ("kitten", "sitting", 3)]
        {
            assert_eq!(distance(one, other), expected);
            assert_eq!(distance(other, one), expected);
        }
    }

    #[test]
    fn the_nearest_key_is_meant_and_a_far_one_is_not() {
        let message =
            |written: &str| format!("unknown field `{written}`, expected one of `seeds`, `depth_max`, `a`");
        assert_eq!(meant(&message("seed")), Some("seeds"));
        assert_eq!(meant(&message("depth-max")), Some("depth_max"));
        assert_eq!(meant(&message("b")), None);
        assert_eq!(meant(&message("politeness")), None);
        assert_eq!(meant("invalid type: string"), None);
    }
}
