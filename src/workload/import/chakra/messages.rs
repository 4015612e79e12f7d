//! The messages of an execution trace, as far as they are used (mlcommons/chakra, `et_def.proto`).

/// The first message of a file.
#[derive(Clone, PartialEq, prost::Message)]
pub(crate) struct GlobalMetadata {
    #[prost(string, tag = "1")]
    pub version: String,
    #[prost(message, repeated, tag = "2")]
    pub attr: Vec<Attribute>,
}

/// All messages behind it.
#[derive(Clone, PartialEq, prost::Message)]
pub(crate) struct Node {
    #[prost(uint64, tag = "1")]
    pub id: u64,
    #[prost(string, tag = "2")]
    pub name: String,
    /// One of the constants of [`kind`].
    #[prost(int32, tag = "3")]
    pub kind: i32,
    #[prost(uint64, repeated, tag = "4")]
    pub ctrl_deps: Vec<u64>,
    #[prost(uint64, repeated, tag = "5")]
    pub data_deps: Vec<u64>,
    #[prost(uint64, tag = "7")]
    pub duration_micros: u64,
    #[prost(message, repeated, tag = "10")]
    pub attr: Vec<Attribute>,
}

/// What a node does.
pub(crate) mod kind {
    pub(crate) const INVALID: i32 = 0;
    pub(crate) const METADATA: i32 = 1;
    pub(crate) const MEMORY_LOAD: i32 = 2;
    pub(crate) const MEMORY_STORE: i32 = 3;
    pub(crate) const COMPUTE: i32 = 4;
    pub(crate) const SEND: i32 = 5;
    pub(crate) const RECEIVE: i32 = 6;
    pub(crate) const COLLECTIVE: i32 = 7;
}

/// A value with its name.
#[derive(Clone, PartialEq, prost::Message)]
pub(crate) struct Attribute {
    #[prost(string, tag = "1")]
    pub name: String,
    #[prost(oneof = "Value", tags = "3, 5, 7, 9, 11, 13, 15, 17, 19, 21, 23, 25, 27, 28, 29")]
    pub value: Option<Value>,
}

/// The kinds of values that are read; lists of the others have even numbers.
#[derive(Clone, PartialEq, prost::Oneof)]
pub(crate) enum Value {
    #[prost(double, tag = "3")]
    Double(f64),
    #[prost(float, tag = "5")]
    Float(f32),
    #[prost(int32, tag = "7")]
    Int32(i32),
    #[prost(int64, tag = "9")]
    Int64(i64),
    #[prost(uint32, tag = "11")]
    Uint32(u32),
    #[prost(uint64, tag = "13")]
    Uint64(u64),
    #[prost(sint32, tag = "15")]
    Sint32(i32),
    #[prost(sint64, tag = "17")]
    Sint64(i64),
    #[prost(fixed32, tag = "19")]
    Fixed32(u32),
    #[prost(fixed64, tag = "21")]
    Fixed64(u64),
    #[prost(sfixed32, tag = "23")]
    Sfixed32(i32),
    #[prost(sfixed64, tag = "25")]
    Sfixed64(i64),
    #[prost(bool, tag = "27")]
    Bool(bool),
    #[prost(message, tag = "28")]
    Bools(Bools),
    #[prost(string, tag = "29")]
    Text(String),
}

/// A list of truth values.
#[derive(Clone, PartialEq, prost::Message)]
pub(crate) struct Bools {
    #[prost(bool, repeated, tag = "1")]
    pub values: Vec<bool>,
}

impl Value {
    /// The value of any integer kind.
    pub(crate) fn integer(&self) -> Option<i128> {
        Some(match *self {
            Self::Int32(n) | Self::Sint32(n) | Self::Sfixed32(n) => n.into(),
            Self::Int64(n) | Self::Sint64(n) | Self::Sfixed64(n) => n.into(),
            Self::Uint32(n) | Self::Fixed32(n) => n.into(),
            Self::Uint64(n) | Self::Fixed64(n) => n.into(),
            _ => return None,
        })
    }
}

impl Node {
    /// The value of an attribute.
    pub(crate) fn value(&self, name: &str) -> Option<&Value> {
        self.attr.iter().find(|attr| attr.name == name)?.value.as_ref()
    }
}
