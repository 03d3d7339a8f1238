//! Protobuf's wire format, as far as it leads to what a graph's file says.

use std::fs::File;
use std::io::{self, BufRead, BufReader, Read};
use std::path::Path;

use super::{GraphFile, Node};

/// Reads what a graph's file says, as far as it is one.
pub(super) fn read(graph: &Path) -> io::Result<GraphFile> {
    let file = File::open(graph)?;
    let end = file.metadata()?.len();
    let mut walk = Walk {
        input: BufReader::new(file),
        at: 0,
        found: GraphFile::default(),
        node: Node::default(),
        tensor: (String::new(), None),
        attribute: (String::new(), None),
    };
    match walk.message(Message::Model, end, 0) {
        Err(error)
            if !matches!(
                error.kind(),
                io::ErrorKind::InvalidData | io::ErrorKind::UnexpectedEof
            ) =>
        {
            Err(error)
        }
        _ => Ok(walk.found),
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

/// Bytes of a name, or of an entry of external data, at most.
const SHORT: u64 = 1 << 16;

/// How deep messages may lie in one another.
const DEEPEST: usize = 64;

/// How deep the graph itself lies.
const GRAPH: usize = 1;

/// Reads Protobuf's wire format, and passes over all that is not asked for.
struct Walk {
    input: BufReader<File>,
    at: u64,
    found: GraphFile,
    /// The node of the graph itself that is being read.
    node: Node,
    /// The tensor that is being read: its name, and its first dimension.
    tensor: (String, Option<u64>),
    /// The attribute that is being read: its name, and its whole number.
    attribute: (String, Option<u64>),
}

impl Walk {
    fn message(&mut self, message: Message, end: u64, depth: usize) -> io::Result<()> {
        while self.at < end {
            let tag = self.number()?;
            let (field, wire) = (tag >> 3, tag & 7);
            let bytes = match wire {
                0 => {
                    let number = self.number()?;
                    self.take_number(message, field, number);
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
            if wire == 2 && bytes <= SHORT && is_short(message, field) {
                let mut value = vec![0; bytes as usize];
                self.input.read_exact(&mut value)?;
                self.at += bytes;
                self.take_bytes(message, field, depth, &value);
            } else if let Some(inner) = message.field(field)
                && wire == 2
                && depth < DEEPEST
            {
                self.message(inner, self.at + bytes, depth + 1)?;
                self.end(inner, depth + 1);
            } else {
                self.input.seek_relative(bytes as i64)?;
                self.at += bytes;
            }
        }
        Ok(())
    }

    fn take_number(&mut self, message: Message, field: u64, number: u64) {
        match (message, field) {
            (Message::Tensor, 1) => {
                self.tensor.1.get_or_insert(number);
            }
            (Message::Attribute, 3) => self.attribute.1 = Some(number),
            _ => {}
        }
    }

    fn take_bytes(&mut self, message: Message, field: u64, depth: usize, mut value: &[u8]) {
        let text = || String::from_utf8_lossy(value).into_owned();
        let is_of_graph = depth == GRAPH + 1;
        match (message, field) {
            (Message::Node, 1) if is_of_graph => self.node.inputs.push(text()),
            (Message::Node, 2) if is_of_graph => self.node.outputs.push(text()),
            (Message::Node, 4) if is_of_graph => self.node.operator = text(),
            (Message::Node, 7) if is_of_graph => self.node.domain = text(),
            (Message::Attribute, 1) => self.attribute.0 = text(),
            // Packed, as most write them.
            (Message::Tensor, 1) => {
                if let Ok((first, _)) = number(&mut value) {
                    self.tensor.1.get_or_insert(first);
                }
            }
            (Message::Tensor, 8) => self.tensor.0 = text(),
            (Message::Tensor, 13) => self.found.locations.extend(location(value)),
            _ => {}
        }
    }

    /// Keeps what has been read of a message.
    fn end(&mut self, message: Message, depth: usize) {
        let is_of_graph = depth == GRAPH + 1;
        match message {
            Message::Node if is_of_graph => self.found.nodes.push(std::mem::take(&mut self.node)),
            Message::Attribute => {
                let (name, number) = std::mem::take(&mut self.attribute);
                if let Some(number) = number.filter(|_| depth == GRAPH + 2) {
                    self.node.attributes.insert(name, number);
                }
            }
            Message::Tensor => {
                let (name, first) = std::mem::take(&mut self.tensor);
                if let Some(first) = first.filter(|_| is_of_graph) {
                    self.found.tensors.insert(name, first);
                }
            }
            _ => {}
        }
    }

    fn number(&mut self) -> io::Result<u64> {
        let (number, bytes) = number(&mut self.input)?;
        self.at += bytes;
        Ok(number)
    }
}

/// Tells whether a field holds a name, dimensions or an entry of external data.
fn is_short(message: Message, field: u64) -> bool {
    matches!(
        (message, field),
        (Message::Attribute, 1) | (Message::Node, 1 | 2 | 4 | 7) | (Message::Tensor, 1 | 8 | 13)
    )
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
