//! SHA-256 of files (FIPS 180-4).

use std::fmt::Write;
use std::fs::File;
use std::io::{self, Read, Write as _};
use std::path::Path;

use sha2::{Digest, Sha256};

/// Bytes read at once.
const CHUNK: usize = 1 << 20;

/// Returns the digest of some bytes, in hexadecimal.
pub fn of(bytes: &[u8]) -> String {
    hexadecimal(&Sha256::digest(bytes))
}

/// Returns the size and the digest of a file, in constant memory; what is read goes to `copy` too.
pub fn of_file(path: &Path, mut copy: Option<&mut File>) -> io::Result<(u64, String)> {
    let mut file = File::open(path)?;
    let mut hasher = Sha256::new();
    let mut chunk = vec![0; CHUNK];
    let mut bytes = 0;
    loop {
        let read = file.read(&mut chunk)?;
        if read == 0 {
            return Ok((bytes, hexadecimal(&hasher.finalize())));
        }
        hasher.update(&chunk[..read]);
        if let Some(copy) = &mut copy {
            copy.write_all(&chunk[..read])?;
        }
        bytes += read as u64;
    }
}

fn hexadecimal(digest: &[u8]) -> String {
    digest.iter().fold(String::new(), |mut text, byte| {
        write!(text, "{byte:02x}").expect("a string takes all that is written to it");
        text
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_and_its_bytes_have_the_digest_of_the_standard() {
        // FIPS 180-4's example: the three letters abc.
        let expected = "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad";
        assert_eq!(of(b"abc"), expected);
        let mut file = tempfile::NamedTempFile::new().expect("file");
        file.write_all(b"abc").expect("written");
        assert_eq!(
            of_file(file.path(), None).expect("read"),
            (3, expected.to_owned())
        );
    }
}
