//! How much an input may ask of us. What goes beyond is refused with an error that names the limit.

/// Bounds on one file.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Limits {
    /// Size of a file, in bytes.
    pub bytes_max: u64,
    /// Values inside values. Upstream allows 10,000; the deepest real manifests we know have 40.
    pub depth_max: usize,
    /// Lines and commas in a file; in JSON, values. Counted before anything is made of them.
    pub pieces_max: usize,
    /// Values in a file, after aliases are expanded.
    pub values_max: usize,
    /// What aliases and merge keys of a file may add, in bytes of memory.
    pub copied_bytes_max: usize,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            bytes_max: 64 << 20,
            depth_max: 100,
            pieces_max: 4_000_000,
            values_max: 4_000_000,
            copied_bytes_max: 16 << 20,
        }
    }
}
