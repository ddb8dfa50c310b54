//! The target `exchange` under libFuzzer.
#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| consentry_fuzz::exchange::run(data));
