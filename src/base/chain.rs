//! Errors in words.

use std::error::Error;

/// An error with its causes, on one line. What an error has already said of its cause is not said twice.
#[must_use]
pub fn chain(error: &dyn Error) -> String {
    let mut text = error.to_string();
    let mut cause = error.source();
    while let Some(next) = cause {
        let next_text = next.to_string();
        if !text.contains(&next_text) {
            text = format!("{text}: {next_text}");
        }
        cause = next.source();
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[derive(Debug, thiserror::Error)]
    enum Told {
        #[error("cannot read a.wav")]
        Outer(#[source] std::io::Error),
        #[error("cannot read b.wav: {0}")]
        Whole(#[source] std::io::Error),
    }

    #[test]
    fn no_text_stands_twice() {
        let cause = || std::io::Error::other("the disk is gone");
        assert_eq!(chain(&Told::Outer(cause())), "cannot read a.wav: the disk is gone");
        assert_eq!(chain(&Told::Whole(cause())), "cannot read b.wav: the disk is gone");
    }
}
