//! AMF0 and AMF3 values (Action Message Format).

mod value;

pub use value::{Encoding, Property, Text, Value};
