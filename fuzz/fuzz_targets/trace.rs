#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| fabricsim::fuzzing::trace(bytes));
