//! Benchmarks. See README.md.
