//! Closed lists of codes (statuses, reasons, kinds): one macro, so that every list has explicit stored tags.

/// A stored tag that no variant has: the bytes were written by a newer version, or are damaged.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{list} has no code {tag}")]
pub struct UnknownCode {
    /// The list that was read.
    pub list: &'static str,
    /// The tag that was found.
    pub tag: u8,
}

/// Declares a closed list: its stored tag (explicit, never reused) and its name in JSON (snake_case).
#[macro_export]
macro_rules! codes {
    ($(#[$meta:meta])* $vis:vis enum $name:ident { $($(#[$vmeta:meta])* $variant:ident = $tag:literal $text:literal),+ $(,)? }) => {
        $(#[$meta])*
        #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, serde::Serialize, serde::Deserialize, schemars::JsonSchema)]
        #[repr(u8)]
        $vis enum $name { $($(#[$vmeta])* #[serde(rename = $text)] $variant = $tag),+ }

        impl $name {
            /// Every code, in the order of the declaration.
            pub const ALL: &'static [$name] = &[$($name::$variant),+];

            /// The code as it stands in JSON.
            pub const fn as_str(self) -> &'static str {
                match self { $($name::$variant => $text),+ }
            }

            /// The code with this JSON name, if there is one.
            pub fn parse(text: &str) -> Option<Self> {
                match text { $($text => Some($name::$variant),)+ _ => None }
            }

            /// The code with this stored tag.
            pub const fn from_tag(tag: u8) -> Result<Self, $crate::values::UnknownCode> {
                match tag { $($tag => Ok($name::$variant),)+ _ => Err($crate::values::UnknownCode { list: stringify!($name), tag }) }
            }
        }

        impl std::fmt::Display for $name {
            fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result { f.write_str(self.as_str()) }
        }

        impl bincode::Encode for $name {
            fn encode<E: bincode::enc::Encoder>(&self, encoder: &mut E) -> Result<(), bincode::error::EncodeError> {
                (*self as u8).encode(encoder)
            }
        }

        impl<C> bincode::Decode<C> for $name {
            fn decode<D: bincode::de::Decoder<Context = C>>(decoder: &mut D) -> Result<Self, bincode::error::DecodeError> {
                let tag = u8::decode(decoder)?;
                $name::from_tag(tag).map_err(|fault| bincode::error::DecodeError::OtherString(fault.to_string()))
            }
        }
        bincode::impl_borrow_decode!($name);
    };
}
