//! The target `coding` under libFuzzer.
#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| consentry_fuzz::coding::run(data));
