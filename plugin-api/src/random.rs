//! Randomness for plans: drawn once by the host, so that a plan is a pure function of store and request.

use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};
use std::cell::Cell;

/// A stream of random bytes from the 32 the host drew. Cloning repeats the stream.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub struct Random {
    #[serde(with = "serde_bytes")]
    seed: Vec<u8>,
    #[serde(skip)]
    drawn: Cell<u64>,
}

impl Random {
    /// A stream from a seed of at least 32 bytes of the operating system's randomness.
    pub fn new(seed: Vec<u8>) -> Random {
        Random { seed, drawn: Cell::new(0) }
    }

    /// The next `n` bytes: SHA-256 of the seed and a counter.
    pub fn bytes(&self, n: usize) -> Vec<u8> {
        let mut out = Vec::with_capacity(n + 32);
        while out.len() < n {
            let counter = self.drawn.replace(self.drawn.get() + 1);
            out.extend_from_slice(
                &Sha256::new().chain_update(&self.seed).chain_update(counter.to_be_bytes()).finalize(),
            );
        }
        out.truncate(n);
        out
    }

    /// The next `n` characters, each equally likely one of `alphabet` (at most 256 ASCII characters).
    pub fn text(&self, n: usize, alphabet: &str) -> String {
        let alphabet = alphabet.as_bytes();
        let fair = 256 - 256 % alphabet.len();
        let mut out = String::with_capacity(n);
        while out.len() < n {
            let byte = usize::from(self.bytes(1)[0]);
            if byte < fair {
                out.push(char::from(alphabet[byte % alphabet.len()]));
            }
        }
        out
    }

    /// The next `n` bytes as `2 * n` lower-case hex digits.
    pub fn hex(&self, n: usize) -> String {
        hex(&self.bytes(n))
    }
}

/// Lower-case hex digits.
pub fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

/// Lower-case hex SHA-256.
pub fn sha256(bytes: &[u8]) -> String {
    hex(&Sha256::digest(bytes))
}

/// How a key that is itself a secret is shown and typed: 12 hex digits of its SHA-256.
pub fn fingerprint(secret: &str) -> String {
    sha256(secret.as_bytes())[..12].to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_stream_repeats_for_its_seed_and_never_within_itself() {
        let (one, two) = (Random::new(vec![7; 32]), Random::new(vec![7; 32]));
        let first = one.hex(16);
        assert_eq!(first, two.hex(16));
        assert_ne!(first, one.hex(16));
        let text = one.text(200, "abc");
        assert!(text.len() == 200 && ['a', 'b', 'c'].iter().all(|c| text.contains(*c)));
    }
}
