//! Fingerprints of values.

/// FNV-1a over length-prefixed parts: the same in every process, unlike the standard hasher.
pub struct Fnv(u64);

impl Default for Fnv {
    fn default() -> Self {
        Self(0xcbf2_9ce4_8422_2325)
    }
}

impl Fnv {
    /// One more part.
    pub fn part(&mut self, bytes: &[u8]) {
        let length = (bytes.len() as u64).to_be_bytes();
        for byte in length.iter().chain(bytes) {
            self.0 = (self.0 ^ u64::from(*byte)).wrapping_mul(0x0100_0000_01b3);
        }
    }

    /// The fingerprint of the parts so far.
    pub const fn finish(&self) -> u64 {
        self.0
    }
}
