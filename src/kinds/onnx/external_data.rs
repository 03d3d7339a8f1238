//! Which files hold the large tensors of a graph: the graph names them.

use std::collections::BTreeSet;
use std::fs::File;
use std::io::{self, BufRead, BufReader, Read};
use std::path::Path;

/// Returns the locations of a graph's external data, relative to its folder, as far as the file is a graph.
///
/// Source: `onnx.proto` (TensorProto.external_data) and External Data of ONNX's documentation.
pub(super) fn locations(graph: &Path) -> io::Result<BTreeSet<String>> {
    let file = File::open(graph)?;
    let end = file.metadata()?.len();
    let mut walk = Walk {
        input: BufReader::new(file),
        at: 0,
        found: BTreeSet::new(),
    };
    match walk.message(Message::Model, end, 0) {
        // What is no graph ONNX Runtime says in its own words.
        Ok(()) => Ok(walk.found),
        Err(error)
            if matches!(
                error.kind(),
                io::ErrorKind::InvalidData | io::ErrorKind::UnexpectedEof
            ) =>
        {
            Ok(walk.found)
        }
        Err(error) => Err(error),
    }
}

/// The messages of `onnx.proto` on the way to a tensor.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Message {
    Attribute,
    Function,
    Graph,
    Model,
    Node,
    SparseTensor,
    Tensor,
}

impl Message {
    /// Returns which message a field holds, of those on the way.
    fn field(self, number: u64) -> Option<Self> {
        Some(match (self, number) {
            (Self::Model, 7) | (Self::Attribute, 6 | 11) => Self::Graph,
            (Self::Model, 25) => Self::Function,
            (Self::Graph, 1) | (Self::Function, 7) => Self::Node,
            (Self::Node, 5) => Self::Attribute,
            (Self::Graph, 5) | (Self::Attribute, 5 | 10) | (Self::SparseTensor, 1 | 2) => {
                Self::Tensor
            }
            (Self::Graph, 15) | (Self::Attribute, 22 | 23) => Self::SparseTensor,
            _ => return None,
        })
    }
}

/// `external_data` of a tensor.
const EXTERNAL_DATA: u64 = 13;

/// Bytes of an entry of `external_data`, at most.
const ENTRY: u64 = 1 << 16;

/// How deep graphs may lie in one another.
const DEEPEST: usize = 64;

/// Reads Protobuf's wire format, and passes over all that is not asked for.
struct Walk {
    input: BufReader<File>,
    at: u64,
    found: BTreeSet<String>,
}

impl Walk {
    fn message(&mut self, message: Message, end: u64, depth: usize) -> io::Result<()> {
        while self.at < end {
            let tag = self.number()?;
            let (field, wire) = (tag >> 3, tag & 7);
            let bytes = match wire {
                0 => {
                    self.number()?;
                    continue;
                }
                1 => 8,
                2 => self.number()?,
                5 => 4,
                _ => return Err(io::ErrorKind::InvalidData.into()),
            };
            if bytes > end - self.at.min(end) {
                return Err(io::ErrorKind::InvalidData.into());
            }
            if message == Message::Tensor && field == EXTERNAL_DATA && bytes <= ENTRY {
                let mut entry = vec![0; bytes as usize];
                self.input.read_exact(&mut entry)?;
                self.at += bytes;
                self.found.extend(location(&entry));
            } else if let Some(inner) = message.field(field)
                && wire == 2
                && depth < DEEPEST
            {
                self.message(inner, self.at + bytes, depth + 1)?;
            } else {
                self.input.seek_relative(bytes as i64)?;
                self.at += bytes;
            }
        }
        Ok(())
    }

    fn number(&mut self) -> io::Result<u64> {
        let (number, bytes) = number(&mut self.input)?;
        self.at += bytes;
        Ok(number)
    }
}

/// Reads a number, and returns how many bytes it has.
fn number(input: &mut impl BufRead) -> io::Result<(u64, u64)> {
    let mut number = 0;
    for place in 0..10 {
        let mut byte = [0];
        input.read_exact(&mut byte)?;
        number |= u64::from(byte[0] & 0x7f) << (7 * place);
        if byte[0] < 0x80 {
            return Ok((number, place + 1));
        }
    }
    Err(io::ErrorKind::InvalidData.into())
}

/// Returns the value of an entry whose key is `location`.
fn location(mut entry: &[u8]) -> Option<String> {
    let [mut key, mut value] = [&[][..]; 2];
    while !entry.is_empty() {
        let (tag, _) = number(&mut entry).ok()?;
        let (bytes, _) = number(&mut entry).ok()?;
        let (text, rest) = entry.split_at_checked(usize::try_from(bytes).ok()?)?;
        entry = rest;
        match tag {
            0x0a => key = text,
            0x12 => value = text,
            _ => {}
        }
    }
    (key == b"location").then(|| String::from_utf8_lossy(value).into_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn field(number: u8, bytes: &[u8]) -> Vec<u8> {
        let mut field = vec![number << 3 | 2];
        let mut length = bytes.len();
        while length >= 0x80 {
            field.push(length as u8 | 0x80);
            length >>= 7;
        }
        field.push(length as u8);
        field.extend(bytes);
        field
    }

    fn check(graph: &[u8], expected: &[&str]) {
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join("model.onnx");
        std::fs::write(&path, graph).expect("written");
        let found = locations(&path).expect("read");
        assert!(found.iter().eq(expected), "{found:?}");
    }

    #[test]
    fn locations_are_found_wherever_a_tensor_is() {
        let entry = |key: &str, value: &str| {
            let entry = [field(1, key.as_bytes()), field(2, value.as_bytes())].concat();
            field(13, &entry)
        };
        let tensor = |location: &str| {
            let raw = field(9, &[7; 300]);
            [raw, entry("location", location), entry("offset", "12")].concat()
        };
        let attribute = field(5, &field(5, &tensor("of a constant")));
        let nodes = field(1, &attribute);
        let inner = field(1, &field(5, &field(6, &field(5, &tensor("weights.bin")))));
        let graph = [field(5, &tensor("weights.bin")), nodes, inner].concat();
        // A version, a name, the graph.
        let model = [vec![0x08, 9], field(2, b"maker"), field(7, &graph)].concat();
        check(&model, &["of a constant", "weights.bin"]);
        // Cut off, it is none.
        check(&model[..model.len() - 20], &[]);
        check(b"", &[]);
        check(b"no graph at all, but text", &[]);
    }
}
