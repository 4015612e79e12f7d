//! What is said when memory runs out: which point it was, and what helps. Without it a program ends with the bare word of
//! the standard library, or is killed by the system with none.

use std::alloc::{GlobalAlloc, Layout, System};
use std::cell::Cell;
use std::io::Write as _;
use std::sync::atomic::{AtomicU64, Ordering};

/// None, as a number of a point, which has 32 bits.
const NO_POINT: u64 = u64::MAX;

/// The exit code: running the same command again does not help.
const EXIT: i32 = 2;

/// The point that some thread has begun last, for threads that have begun none themselves.
static LAST: AtomicU64 = AtomicU64::new(NO_POINT);

thread_local! {
    static OWN: Cell<u64> = const { Cell::new(NO_POINT) };
}

/// From now on this thread works on this point of a plan.
pub(crate) fn begin(point: u32) {
    OWN.set(point.into());
    LAST.store(point.into(), Ordering::Relaxed);
}

/// Bytes up to which what is given back in one piece stays with this process.
const KEPT: usize = 4 << 20;

/// Lets the C library keep what a point gives back for the next one, where it learns from what it sees: a piece that comes
/// and goes raises the size from which it asks the system every time.
pub(crate) fn keep_what_is_given_back() {
    drop(std::hint::black_box(Vec::<u8>::with_capacity(KEPT)));
}

/// The system's allocator, which ends the program with a plain word instead of returning nothing.
///
/// A program names it as its `#[global_allocator]`; those who only use the library keep their own.
#[derive(Debug)]
pub struct Allocator;

// What is asked for is handed on as it is, so that all that callers promise and all that they are promised is the system's.
#[allow(unsafe_code)]
unsafe impl GlobalAlloc for Allocator {
    #[inline]
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        or_give_up(unsafe { System.alloc(layout) }, layout.size())
    }

    #[inline]
    unsafe fn alloc_zeroed(&self, layout: Layout) -> *mut u8 {
        or_give_up(unsafe { System.alloc_zeroed(layout) }, layout.size())
    }

    #[inline]
    unsafe fn realloc(&self, old: *mut u8, layout: Layout, size: usize) -> *mut u8 {
        or_give_up(unsafe { System.realloc(old, layout, size) }, size)
    }

    #[inline]
    unsafe fn dealloc(&self, old: *mut u8, layout: Layout) {
        unsafe { System.dealloc(old, layout) }
    }
}

#[inline]
fn or_give_up(memory: *mut u8, bytes: usize) -> *mut u8 {
    if memory.is_null() {
        could_not_have(bytes);
    }
    memory
}

#[cold]
fn could_not_have(bytes: usize) -> ! {
    let own = OWN.try_with(Cell::get).unwrap_or(NO_POINT);
    give_up(
        own,
        format_args!("{} MB more could not be had", bytes.div_ceil(1_000_000)),
    )
}

/// Ends the program since the system is about to, for want of memory: `left` bytes are left.
pub(crate) fn run_out(left: u64) -> ! {
    give_up(NO_POINT, format_args!("only {} MB are left", left / 1_000_000))
}

/// Nothing is allocated here.
fn give_up(own: u64, why: std::fmt::Arguments<'_>) -> ! {
    let point = match own {
        NO_POINT => LAST.load(Ordering::Relaxed),
        own => own,
    };
    let mut to = std::io::stderr();
    let _ = match point {
        NO_POINT => write!(to, "error: memory ran out: {why}\n  help: "),
        point => write!(
            to,
            "error: point {point}: memory ran out: {why}\n  help: `fabricsim check` tells what a point takes; run one at a time with `--jobs 1`, "
        ),
    };
    let _ = writeln!(
        to,
        "take fewer ranks, channels, chunks or sub-flows, or a machine with more memory"
    );
    std::process::exit(EXIT)
}
