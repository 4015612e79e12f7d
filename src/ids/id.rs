//! What all identities have in common.

/// An identity: a dense index into arrays of its kind alone.
pub(crate) trait Id: Copy {
    /// None, where an `Option` would take twice the room.
    const NONE: Self;

    /// What an array's index becomes.
    fn from_index(index: usize) -> Self;

    /// As an array's index.
    fn index(self) -> usize;
}

/// Declares identities: four bytes each, in the order of their numbers.
macro_rules! id {
    ($($(#[$doc:meta])* $vis:vis $name:ident;)*) => {$(
        $(#[$doc])*
        #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
        $vis struct $name($vis u32);

        impl $crate::ids::Id for $name {
            const NONE: Self = Self(u32::MAX);

            #[inline]
            fn from_index(index: usize) -> Self {
                Self(u32::try_from(index).expect("more than 2^32 of one kind"))
            }

            #[inline]
            fn index(self) -> usize {
                self.0 as usize
            }
        }
    )*};
}

pub(crate) use id;
