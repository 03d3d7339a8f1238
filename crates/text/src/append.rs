//! Fast copies of short texts.

/// Bytes that are copied at once: most words have no more.
pub const AT_ONCE: usize = 16;

/// Appends the first `length` bytes of `bytes`, which may go on.
#[inline]
pub fn append(out: &mut Vec<u8>, bytes: &[u8], length: usize) {
    match bytes.first_chunk::<AT_ONCE>() {
        // A copy of fixed length is a load and a store; what is too much of it is dropped again.
        Some(piece) if length <= AT_ONCE => {
            let end = out.len() + length;
            out.extend_from_slice(piece);
            out.truncate(end);
        }
        _ => out.extend_from_slice(&bytes[..length]),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn so_many_bytes_are_appended_whatever_lies_behind() {
        let bytes: Vec<u8> = (0..40).collect();
        for size in [0, 5, AT_ONCE - 1, AT_ONCE, 40] {
            for length in 0..=size {
                let mut out = vec![99];
                append(&mut out, &bytes[..size], length);
                assert_eq!(
                    (out[0], &out[1..]),
                    (99, &bytes[..length]),
                    "{length} of {size}"
                );
            }
        }
    }
}
