//! Forms with a file (`multipart/form-data`, RFC 7578), read piece by piece: memory does not grow with the file.

/// The longest boundary (RFC 2046, section 5.1.1).
const BOUNDARY_BYTES_MAX: usize = 70;
/// The longest head of a part, in bytes.
const HEAD_BYTES_MAX: usize = 4 << 10;
/// Parts of one form.
const PARTS_MAX: usize = 20;

/// What is wrong with a form.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub(super) enum Wrong {
    /// What is sent has no boundary, or one that cannot be.
    #[error("the form's boundary is missing")]
    Boundary,
    /// It does not begin, or a part does not end, as it should.
    #[error("the form is malformed")]
    Form,
    /// A part does not say which field it is, or in too many words.
    #[error("a part of the form has no name, or too long a head")]
    Head,
    /// It has too many parts.
    #[error("a form with a file has at most {PARTS_MAX} parts")]
    Parts,
}

/// What comes of a form, in its order.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Piece {
    /// A part begins.
    Begin(Head),
    /// Bytes of the part that began last.
    Bytes(Vec<u8>),
    /// The form is whole; what follows means nothing.
    End,
}

/// What a part says of itself.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Head {
    /// The field.
    pub(super) name: String,
    /// The file's name, where it is one: a browser's word.
    pub(super) file_name: Option<String>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum State {
    /// Before the first boundary.
    Start,
    /// A boundary was read: a head or the end follows.
    Boundary,
    Head,
    Body,
    End,
}

/// Reads one form. Holds the bytes that were pushed last, and a head and a boundary beside.
pub(super) struct Parts {
    /// What stands between parts: line break, two hyphens, boundary.
    mark: Vec<u8>,
    buffer: Vec<u8>,
    state: State,
    count: usize,
}

impl Parts {
    /// Makes ready to read a form of this `Content-Type`.
    ///
    /// # Errors
    /// [`Wrong::Boundary`] where it names none.
    pub(super) fn of(content_type: &str) -> Result<Self, Wrong> {
        let boundary = parameter(content_type, "boundary").ok_or(Wrong::Boundary)?;
        if boundary.is_empty() || boundary.len() > BOUNDARY_BYTES_MAX {
            return Err(Wrong::Boundary);
        }
        let mark = [b"\r\n--", boundary.as_bytes()].concat();
        // So that the first boundary is like the others.
        Ok(Self { mark, buffer: b"\r\n".to_vec(), state: State::Start, count: 0 })
    }

    /// Takes bytes as they come, once [`Parts::next`] wants more.
    pub(super) fn push(&mut self, bytes: &[u8]) {
        if self.state != State::End {
            self.buffer.extend_from_slice(bytes);
        }
    }

    /// What comes next of what was pushed; `None` where more bytes are needed.
    ///
    /// # Errors
    /// [`Wrong`] that says what is no form.
    pub(super) fn next(&mut self) -> Result<Option<Piece>, Wrong> {
        if self.state == State::Start {
            let length = self.mark.len().min(self.buffer.len());
            if self.buffer.get(..length) != self.mark.get(..length) {
                return Err(Wrong::Form);
            }
            if length < self.mark.len() {
                return Ok(None);
            }
            self.buffer.drain(..length);
            self.state = State::Boundary;
        }
        if self.state == State::Boundary {
            let Some(after) = self.buffer.get(..2) else { return Ok(None) };
            self.state = match after {
                b"--" => State::End,
                b"\r\n" => State::Head,
                _ => return Err(Wrong::Form),
            };
            // The line break stays: a head may be empty but for it.
            if self.state == State::End {
                self.buffer.clear();
                return Ok(Some(Piece::End));
            }
        }
        match self.state {
            State::Head => self.head(),
            State::Body => self.body(),
            _ => Ok(None),
        }
    }

    fn head(&mut self) -> Result<Option<Piece>, Wrong> {
        let end = self.buffer.windows(4).take(HEAD_BYTES_MAX).position(|four| four == b"\r\n\r\n");
        let Some(end) = end else {
            return if self.buffer.len() > HEAD_BYTES_MAX { Err(Wrong::Head) } else { Ok(None) };
        };
        self.count += 1;
        if self.count > PARTS_MAX {
            return Err(Wrong::Parts);
        }
        let head = self.buffer.get(..end).and_then(read_head).ok_or(Wrong::Head)?;
        self.buffer.drain(..end + 4);
        self.state = State::Body;
        Ok(Some(Piece::Begin(head)))
    }

    fn body(&mut self) -> Result<Option<Piece>, Wrong> {
        match place(&self.buffer, &self.mark) {
            Place::At(0) => {
                self.buffer.drain(..self.mark.len());
                self.state = State::Boundary;
                self.next()
            }
            Place::At(length) | Place::NotBefore(length) if length > 0 => {
                Ok(Some(Piece::Bytes(self.buffer.drain(..length).collect())))
            }
            Place::At(_) | Place::NotBefore(_) => Ok(None),
        }
    }
}

enum Place {
    /// The mark begins there.
    At(usize),
    /// The mark does not begin before there, where the bytes end or may be its beginning.
    NotBefore(usize),
}

fn place(bytes: &[u8], mark: &[u8]) -> Place {
    let mut from = 0;
    while let Some(at) = bytes.iter().skip(from).position(|byte| *byte == b'\r').map(|at| at + from) {
        let rest = bytes.get(at..).unwrap_or_default();
        if rest.starts_with(mark) {
            return Place::At(at);
        }
        if mark.starts_with(rest) {
            return Place::NotBefore(at);
        }
        from = at + 1;
    }
    Place::NotBefore(bytes.len())
}

/// Reads a head, of which the disposition alone counts.
fn read_head(bytes: &[u8]) -> Option<Head> {
    let text = String::from_utf8_lossy(bytes);
    let lines = text.split("\r\n").filter_map(|line| line.split_once(':'));
    let (_, disposition) =
        lines.into_iter().find(|(name, _)| name.trim().eq_ignore_ascii_case("content-disposition"))?;
    if !disposition.trim_start().get(..9)?.eq_ignore_ascii_case("form-data") {
        return None;
    }
    let name = parameter(disposition, "name")?;
    Some(Head { name, file_name: parameter(disposition, "filename") })
}

/// The value of a parameter behind the first `;`. Browsers write quotation marks and line breaks in it as `%22`, `%0D` and
/// `%0A` (HTML standard, multipart/form-data encoding), so that a quoted one ends at the next quotation mark.
fn parameter(text: &str, wanted: &str) -> Option<String> {
    let (_, mut rest) = text.split_once(';')?;
    loop {
        let (name, after) = rest.split_once('=')?;
        let (value, next) = match after.trim_start().strip_prefix('"') {
            Some(quoted) => quoted.split_once('"')?,
            None => after.split_at(after.find(';').unwrap_or(after.len())),
        };
        if name.trim().eq_ignore_ascii_case(wanted) {
            return Some(value.trim().to_owned());
        }
        rest = next.trim_start().strip_prefix(';')?;
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;
    use proptest::prelude::*;

    const TYPE: &str = "multipart/form-data; boundary=----line";

    /// A part, and what is in it.
    type Part = (Head, Vec<u8>);

    /// Everything of a form that comes in pieces of this length, and whether it is whole.
    fn read(bytes: &[u8], length: usize) -> Result<(Vec<Part>, bool), Wrong> {
        let mut parts = Parts::of(TYPE)?;
        let mut found: Vec<Part> = Vec::new();
        let mut is_whole = false;
        for piece in bytes.chunks(length.max(1)) {
            parts.push(piece);
            while let Some(piece) = parts.next()? {
                match piece {
                    Piece::Begin(head) => found.push((head, Vec::new())),
                    Piece::Bytes(bytes) => found.last_mut().unwrap().1.extend(bytes),
                    Piece::End => is_whole = true,
                }
            }
            assert!(parts.buffer.len() <= HEAD_BYTES_MAX + length.max(parts.mark.len()));
        }
        Ok((found, is_whole))
    }

    fn head(name: &str, file_name: Option<&str>) -> Head {
        Head { name: name.to_owned(), file_name: file_name.map(str::to_owned) }
    }

    fn written(parts: &[Part]) -> Vec<u8> {
        let mut bytes = Vec::new();
        for (head, body) in parts {
            let file =
                head.file_name.as_ref().map(|name| format!("; filename=\"{name}\"")).unwrap_or_default();
            let name = &head.name;
            bytes.extend(
                format!("------line\r\nContent-Disposition: form-data; name=\"{name}\"{file}\r\n").bytes(),
            );
            bytes.extend(b"Content-Type: application/zip\r\n\r\n");
            bytes.extend(body);
            bytes.extend(b"\r\n");
        }
        bytes.extend(b"------line--\r\n");
        bytes
    }

    #[test]
    fn a_form_as_browsers_send_it() {
        let parts =
            [(head("csrf", None), b"token".to_vec()), (head("bundle", Some("a;b=.wacz")), vec![0; 70_000])];
        let bytes = written(&parts);
        for length in [1, 7, 1000, bytes.len()] {
            assert_eq!(read(&bytes, length), Ok((parts.to_vec(), true)));
        }
        // What is cut off is not whole, wherever it is cut.
        for end in [0, 5, 40, 100, bytes.len() - 5] {
            assert!(!read(&bytes[..end], 1000).unwrap().1, "{end}");
        }
    }

    #[test]
    fn what_is_no_form() {
        for (content_type, wrong) in [
            ("multipart/form-data", Wrong::Boundary),
            ("multipart/form-data; boundary=", Wrong::Boundary),
            (&format!("multipart/form-data; boundary={}", "x".repeat(71)), Wrong::Boundary),
        ] {
            assert_eq!(Parts::of(content_type).err(), Some(wrong), "{content_type}");
        }
        let endless = [b"------line\r\n".as_slice(), &vec![b'x'; 10_000]].concat();
        for (bytes, wrong) in [
            (b"PK\x03\x04".as_slice(), Wrong::Form),
            (b"------line??", Wrong::Form),
            (b"------line\r\n\r\n\r\nx", Wrong::Head),
            (b"------line\r\nContent-Disposition: attachment; name=\"x\"\r\n\r\nx", Wrong::Head),
            (&endless, Wrong::Head),
            (&written(&vec![(head("x", None), Vec::new()); 21]), Wrong::Parts),
        ] {
            assert_eq!(read(bytes, 512), Err(wrong), "{:?}", String::from_utf8_lossy(bytes));
        }
    }

    proptest! {
        #[test]
        fn any_form_comes_back(
            parts in proptest::collection::vec(
                (
                    ("[a-z]{1,8}", proptest::option::of("[ -!#-~]{0,12}")),
                    // Also what looks like a boundary.
                    proptest::collection::vec(
                        prop_oneof![
                            Just(b"\r\n------lin".to_vec()), Just(b"\r\n".to_vec()), Just(b"\r".to_vec()),
                            proptest::collection::vec(any::<u8>(), 0..40),
                        ],
                        0..6,
                    ),
                ),
                0..5,
            ),
            length in 1usize..80,
        ) {
            let parts: Vec<Part> = parts
                .into_iter()
                .map(|((name, file), body)| (head(&name, file.as_deref().map(str::trim)), body.concat()))
                .filter(|(_, body)| !body.windows(12).any(|some| some == b"\r\n------line"))
                .collect();
            prop_assert_eq!(read(&written(&parts), length), Ok((parts, true)));
        }

        #[test]
        fn anything_is_read_to_some_end(
            bytes in proptest::collection::vec(
                prop_oneof![
                    Just(b"------line".to_vec()), Just(b"\r\n".to_vec()), Just(b"--".to_vec()),
                    Just(b"Content-Disposition: form-data; name=\"".to_vec()), Just(b"\"; filename=".to_vec()),
                    proptest::collection::vec(any::<u8>(), 0..20),
                ],
                0..30,
            ),
            length in 1usize..50,
            content_type in "(multipart/form-data)?[ -~]{0,40}",
        ) {
            let _ = Parts::of(&content_type);
            let _ = read(&bytes.concat(), length);
        }
    }
}
