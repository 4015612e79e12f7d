//! The table in which all kinds of one thing stand that an experiment file may name: topologies, workloads, load
//! balancings, transports.

/// Declares an enum from its table, `Variant(Options) = "name", "one sentence";` for each kind. The name is that of the
/// kind's table in files; both are what `fabricsim list` shows. The options of a kind implement the trait behind the colon,
/// through which everything else asks it. `and also!` hands the variants to a second macro, for what goes by kind, too.
macro_rules! kinds {
    (
        $(#[$outer:meta])*
        pub enum $name:ident: $kind:ident $(and $also:ident)? {
            $($(#[$attribute:meta])* $variant:ident($options:ty) = $key:literal, $about:literal;)*
        }
    ) => {
        $(#[$outer])*
        #[derive(Debug, Clone, PartialEq, serde::Serialize, serde::Deserialize, schemars::JsonSchema)]
        pub enum $name {
            $($(#[$attribute])* #[doc = $about] #[serde(rename = $key)] $variant($options),)*
        }

        impl $name {
            /// Names and one-line descriptions of all kinds, in the order of `fabricsim list`.
            pub const ALL: &[(&str, &str)] = &[$($(#[$attribute])* ($key, $about)),*];

            /// The name of this kind, as in the experiment file.
            pub fn name(&self) -> &'static str {
                match self {
                    $($(#[$attribute])* Self::$variant(_) => $key,)*
                }
            }

            pub(super) fn kind(&self) -> &dyn $kind {
                match self {
                    $($(#[$attribute])* Self::$variant(options) => options,)*
                }
            }
        }

        $($(#[$attribute])* impl From<$options> for $name {
            fn from(options: $options) -> Self {
                Self::$variant(options)
            }
        })*

        $crate::kinds::kinds! { @hand to $($also)?: $($(#[$attribute])* $variant($options);)* }
    };
    (@hand to: $($rows:tt)*) => {};
    (@hand to $also:ident: $($rows:tt)*) => {
        $also! { $($rows)* }
    };
}
pub(crate) use kinds;
