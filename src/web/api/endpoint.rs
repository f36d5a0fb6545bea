//! What the API's description says of a route: the description is made of this, and so cannot forget one.

use schemars::{JsonSchema, Schema, SchemaGenerator};

/// Makes the schema of a type.
pub(in crate::web) type SchemaOf = fn(&mut SchemaGenerator) -> Schema;

/// The schema of `T`.
pub(super) fn schema_of<T: JsonSchema>(generator: &mut SchemaGenerator) -> Schema {
    generator.subschema_for::<T>()
}

/// What a value in the query says.
pub(in crate::web) struct Param {
    pub(in crate::web) name: &'static str,
    pub(in crate::web) about: &'static str,
    /// Its type: `string`, `integer` or `number`.
    pub(in crate::web) kind: &'static str,
}

/// Where a list goes on.
pub(super) const AFTER: Param =
    Param { name: "after", about: "Where the last answer's `next` said that it goes on", kind: "string" };
/// How long a part of a list is.
pub(super) const LIMIT: Param =
    Param { name: "limit", about: "How many, 1 to 500; 50 where nothing is said", kind: "integer" };
/// Words that are looked for.
pub(super) const WORDS: Param =
    Param { name: "q", about: "Words that it holds, each of them", kind: "string" };

/// What the description says of a route.
pub(in crate::web) struct Endpoint {
    /// What it does, in a line.
    pub(in crate::web) summary: &'static str,
    /// The group it belongs to.
    pub(in crate::web) tag: &'static str,
    pub(in crate::web) query: &'static [Param],
    /// The JSON that is to be sent.
    pub(in crate::web) body: Option<SchemaOf>,
    /// The type of the file that is to be sent, in place of JSON.
    pub(in crate::web) file: Option<&'static str>,
    /// The status of success.
    pub(in crate::web) status: u16,
    /// The JSON that is answered; none for other types, or nothing.
    pub(in crate::web) answer: Option<SchemaOf>,
    /// Other types that bytes are answered as.
    pub(in crate::web) types: &'static [&'static str],
    /// Whether a part of the bytes can be asked for.
    pub(in crate::web) is_ranged: bool,
    /// Whether `Idempotency-Key` is minded.
    pub(in crate::web) is_once: bool,
}

impl Endpoint {
    /// One that answers nothing yet.
    const fn bare(tag: &'static str, summary: &'static str, status: u16) -> Self {
        Self {
            summary,
            tag,
            query: &[],
            body: None,
            file: None,
            status,
            answer: None,
            types: &[],
            is_ranged: false,
            is_once: false,
        }
    }

    /// One that answers JSON.
    pub(super) const fn new(tag: &'static str, summary: &'static str, status: u16, answer: SchemaOf) -> Self {
        Self { answer: Some(answer), ..Self::bare(tag, summary, status) }
    }

    /// One that answers bytes of one of these types.
    pub(super) const fn of_bytes(
        tag: &'static str,
        summary: &'static str,
        types: &'static [&'static str],
    ) -> Self {
        Self { types, ..Self::bare(tag, summary, 200) }
    }

    /// A part of its bytes can be asked for.
    pub(super) const fn ranged(self) -> Self {
        Self { is_ranged: true, ..self }
    }

    pub(super) const fn with_query(self, query: &'static [Param]) -> Self {
        Self { query, ..self }
    }

    pub(super) const fn with_body(self, body: SchemaOf) -> Self {
        Self { body: Some(body), ..self }
    }

    pub(super) const fn with_file(self, content_type: &'static str) -> Self {
        Self { file: Some(content_type), ..self }
    }

    /// Its writes are done once for each `Idempotency-Key`.
    pub(super) const fn once(self) -> Self {
        Self { is_once: true, ..self }
    }
}
