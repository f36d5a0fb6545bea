//! DER taken apart with the bytes kept as they are: what was signed must not be written anew to be verified.

use der::{Header, Reader as _, Result, SliceReader, Tag, TagNumber};

/// One element.
#[derive(Debug, Clone, Copy)]
pub(super) struct Part<'a> {
    pub(super) tag: Tag,
    /// Tag, length and value.
    pub(super) whole: &'a [u8],
    pub(super) value: &'a [u8],
}

/// The elements of a constructed value, one after the other.
pub(super) struct Parts<'a>(SliceReader<'a>);

/// `[n]` of a constructed value.
pub(super) const fn context(number: TagNumber) -> Tag {
    Tag::ContextSpecific { constructed: true, number }
}

impl<'a> Part<'a> {
    /// Reads the one element that `bytes` are.
    pub(super) fn only(bytes: &'a [u8]) -> Result<Self> {
        let mut parts = Parts::of(bytes)?;
        let part = parts.next()?;
        parts.end()?;
        Ok(part)
    }

    /// Returns itself where it has this tag.
    pub(super) fn tagged(self, tag: Tag) -> Result<Self> {
        self.tag.assert_eq(tag)?;
        Ok(self)
    }

    /// Returns the elements of its value.
    pub(super) fn parts(&self) -> Result<Parts<'a>> {
        Parts::of(self.value)
    }
}

impl<'a> Parts<'a> {
    /// Begins with the first element of `bytes`.
    pub(super) fn of(bytes: &'a [u8]) -> Result<Self> {
        SliceReader::new(bytes).map(Self)
    }

    /// Takes the next element.
    pub(super) fn next(&mut self) -> Result<Part<'a>> {
        let header: Header = self.0.peek_header()?;
        let whole = self.0.tlv_bytes()?;
        let length = usize::try_from(header.length)?;
        let value = whole.get(whole.len().saturating_sub(length)..).unwrap_or_default();
        Ok(Part { tag: header.tag, whole, value })
    }

    /// Takes the next element, which must have this tag.
    pub(super) fn tagged(&mut self, tag: Tag) -> Result<Part<'a>> {
        self.next()?.tagged(tag)
    }

    /// Takes the next element where it has this tag.
    pub(super) fn optional(&mut self, tag: Tag) -> Result<Option<Part<'a>>> {
        if self.0.is_finished() || self.0.peek_tag()? != tag {
            return Ok(None);
        }
        self.next().map(Some)
    }

    /// Takes all that are left, at most `most`.
    pub(super) fn rest(mut self, most: usize) -> Result<Vec<Part<'a>>> {
        let mut parts = Vec::new();
        while !self.0.is_finished() {
            if parts.len() == most {
                return Err(der::ErrorKind::Overlength.into());
            }
            parts.push(self.next()?);
        }
        Ok(parts)
    }

    /// Checks that nothing is left.
    pub(super) fn end(self) -> Result<()> {
        self.0.finish(())
    }
}
