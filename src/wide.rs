//! Loops compiled for several widths of vectors; which one runs is decided by the processor.
//!
//! Only the width differs: no operation is contracted or reordered, so that all of them give the same bytes.

/// How wide the vectors are.
// Elsewhere there is one width, and nobody asks for it.
#[cfg_attr(not(target_arch = "x86_64"), allow(dead_code))]
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Width {
    /// What every processor of its architecture has: two numbers on x86-64.
    Common,
    /// AVX2: four numbers.
    Four,
    /// AVX-512: eight numbers.
    Eight,
}

#[cfg(test)]
thread_local! {
    /// The width that a test asks for.
    static ASKED: std::cell::Cell<Option<Width>> = const { std::cell::Cell::new(None) };
}

// As above.
#[cfg_attr(not(target_arch = "x86_64"), allow(dead_code))]
impl Width {
    /// The widest that the processor has.
    #[inline]
    pub(crate) fn here() -> Self {
        #[cfg(test)]
        if let Some(asked) = ASKED.get() {
            return asked;
        }
        Self::widest()
    }

    #[inline]
    fn widest() -> Self {
        #[cfg(target_arch = "x86_64")]
        {
            if std::arch::is_x86_feature_detected!("avx512f") && std::arch::is_x86_feature_detected!("avx512dq") {
                return Self::Eight;
            }
            if std::arch::is_x86_feature_detected!("avx2") {
                return Self::Four;
            }
        }
        Self::Common
    }

    /// Does the same with every width that this processor has.
    #[cfg(test)]
    pub(crate) fn each<T>(mut work: impl FnMut() -> T) -> Vec<T> {
        let mut widths = vec![Self::Common];
        widths.extend([Self::Four].into_iter().filter(|_| Self::widest() != Self::Common));
        widths.extend([Self::Eight].into_iter().filter(|_| Self::widest() == Self::Eight));
        let results = widths.into_iter().map(|width| {
            ASKED.set(Some(width));
            work()
        });
        let results = results.collect();
        ASKED.set(None);
        results
    }
}

/// Functions whose loops are compiled for every [`Width`].
//
// That the processor has what a call needs is for us to see to: safe Rust cannot promise it.
macro_rules! wide {
    ($($(#[$attribute:meta])* $visibility:vis fn $name:ident($($argument:ident: $type:ty),* $(,)?) $(-> $result:ty)? $body:block)*) => {$(
        $(#[$attribute])*
        #[inline]
        $visibility fn $name($($argument: $type),*) $(-> $result)? {
            #[inline(always)]
            fn body($($argument: $type),*) $(-> $result)? $body

            #[cfg(target_arch = "x86_64")]
            {
                #[target_feature(enable = "avx2")]
                fn four($($argument: $type),*) $(-> $result)? {
                    body($($argument),*)
                }

                #[target_feature(enable = "avx512f,avx512dq")]
                fn eight($($argument: $type),*) $(-> $result)? {
                    body($($argument),*)
                }

                match $crate::wide::Width::here() {
                    $crate::wide::Width::Common => body($($argument),*),
                    // SAFETY: the processor has what `here` says.
                    #[allow(unsafe_code)]
                    $crate::wide::Width::Four => unsafe { four($($argument),*) },
                    // SAFETY: the same.
                    #[allow(unsafe_code)]
                    $crate::wide::Width::Eight => unsafe { eight($($argument),*) },
                }
            }
            #[cfg(not(target_arch = "x86_64"))]
            body($($argument),*)
        }
    )*};
}
pub(crate) use wide;
