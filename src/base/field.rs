//! The decoded tree of one message: names, values, byte ranges.

use std::borrow::Cow;
use std::ops::Range;

/// The value of a leaf.
#[derive(Clone, Debug, PartialEq)]
pub enum FieldValue {
    /// An unsigned integer.
    Uint(u64),
    /// A signed integer.
    Int(i64),
    /// A double.
    Number(f64),
    /// Text, lossily decoded from UTF-8.
    Text(String),
    /// Raw bytes: the range says which.
    Bytes,
    /// A parent: its children are the value.
    Group,
}

/// One node.
#[derive(Clone, Debug, PartialEq)]
pub struct Field {
    /// The spec's name, or the key of an AMF property.
    pub name: Cow<'static, str>,
    /// Byte range in the message payload.
    pub range: Range<usize>,
    /// What was read.
    pub value: FieldValue,
    /// What the value means, in words, when that says more.
    pub meaning: Option<String>,
    /// Depth in the tree, 0 for the top.
    pub depth: u16,
}

/// Nodes in the order they were read (parents before children); depth makes the tree.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct FieldTree {
    nodes: Vec<Field>,
    depth: u16,
}

/// Hostile messages can hold millions of values; what is past this is decoded but not listed.
const MAX_NODES: usize = 100_000;

impl FieldTree {
    /// An empty tree.
    pub fn new() -> FieldTree {
        FieldTree::default()
    }

    /// All nodes, parents before children.
    pub fn nodes(&self) -> &[Field] {
        &self.nodes
    }

    /// All nodes, to be changed (redaction).
    pub fn nodes_mut(&mut self) -> &mut [Field] {
        &mut self.nodes
    }

    /// Whether the tree holds nothing.
    pub fn is_empty(&self) -> bool {
        self.nodes.is_empty()
    }

    /// Adds a leaf at the current depth.
    pub fn leaf(
        &mut self,
        name: impl Into<Cow<'static, str>>,
        range: Range<usize>,
        value: FieldValue,
    ) {
        if self.nodes.len() < MAX_NODES {
            let (name, depth) = (name.into(), self.depth);
            self.nodes.push(Field { name, range, value, meaning: None, depth });
        }
    }

    /// Opens a group at byte `start`; give the result to [`FieldTree::close`].
    pub fn open(&mut self, name: Cow<'static, str>, start: usize) -> usize {
        let mark = self.nodes.len();
        self.leaf(name, start..start, FieldValue::Group);
        self.depth += 1;
        mark
    }

    /// Closes the group `mark` at byte `end`.
    pub fn close(&mut self, mark: usize, end: usize) {
        self.depth = self.depth.saturating_sub(1);
        if let Some(node) = self.nodes.get_mut(mark) {
            node.range.end = end;
        }
    }

    /// Says in words what the newest node means.
    pub fn meaning(&mut self, meaning: String) {
        // In a full tree the newest node is not listed: the last one that is has another meaning.
        if self.nodes.len() < MAX_NODES
            && let Some(node) = self.nodes.last_mut()
        {
            node.meaning = Some(meaning);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::{Reader, StopReason};
    use super::*;

    #[test]
    fn the_same_reads_decode_and_explain() {
        let mut tree = FieldTree::new();
        let mut reader = Reader::with_fields(&[0, 0, 7, 0xaa], &mut tree);
        let value = reader
            .group("header", |r| {
                let value = r.u24("length")?;
                r.meaning(|| "seven".into());
                Ok(value)
            })
            .unwrap();
        assert_eq!(value, 7);
        let stop = reader.u16("tail").unwrap_err();
        assert_eq!((stop.field, stop.at), ("tail", 3));
        assert_eq!(stop.reason, StopReason::Truncated { needed: 2, left: 1 });
        let names: Vec<_> =
            tree.nodes().iter().map(|n| (&*n.name, n.depth, n.range.clone())).collect();
        assert_eq!(names, [("header", 0, 0..3), ("length", 1, 0..3)]);
        assert_eq!(tree.nodes()[1].meaning.as_deref(), Some("seven"));
    }
}
