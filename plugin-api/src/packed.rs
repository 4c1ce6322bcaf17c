//! MessagePack read directly, where there is a lot of it: a list of a hundred thousand accounts is millions of values.

use crate::account::Known;
use crate::error::{Error, Kind, Result};
use crate::value::{Cell, Value};
use rmp::Marker;
use rmp::decode::{self, NumValueReadError, ValueReadError};
use serde::de::DeserializeOwned;
use std::fmt;
use std::io::Cursor;

/// MessagePack, read from the front.
pub(crate) struct Packed<'b>(pub(crate) &'b [u8]);

impl<'b> Packed<'b> {
    /// How many items the list has that begins here.
    pub(crate) fn items(&mut self) -> Result<u32> {
        decode::read_array_len(&mut self.0).map_err(unreadable)
    }

    /// One cell of a page.
    pub(crate) fn cell(&mut self) -> Result<Cell<'b>> {
        let marker = self.0.first().map(|byte| Marker::from_u8(*byte));
        Ok(match marker.ok_or_else(|| unreadable("it ends early"))? {
            Marker::FixStr(_) | Marker::Str8 | Marker::Str16 | Marker::Str32 => Cell::Text(self.text()?),
            Marker::Null => {
                self.0 = &self.0[1..];
                Cell::default()
            }
            Marker::FixPos(_) | Marker::FixNeg(_) => Cell::Other(Value::Int(self.int()?)),
            Marker::U8 | Marker::U16 | Marker::U32 | Marker::I8 | Marker::I16 | Marker::I32 | Marker::I64 => {
                Cell::Other(Value::Int(self.int()?))
            }
            _ => Cell::Other(self.other()?),
        })
    }

    /// An integer that fits.
    pub(crate) fn int(&mut self) -> Result<i64> {
        decode::read_int(&mut self.0).map_err(|why: NumValueReadError| unreadable(why))
    }

    /// Yes or no.
    pub(crate) fn bool(&mut self) -> Result<bool> {
        decode::read_bool(&mut self.0).map_err(unreadable)
    }

    /// A list of texts.
    pub(crate) fn texts(&mut self) -> Result<Vec<String>> {
        (0..self.items()?).map(|_| Ok(self.text()?.to_owned())).collect()
    }

    /// Nothing, or what `read` reads.
    pub(crate) fn known<T>(&mut self, read: impl FnOnce(&mut Self) -> Result<T>) -> Result<Known<T>> {
        if self.0.first() == Some(&Marker::Null.to_u8()) {
            self.0 = &self.0[1..];
            return Ok(Known::Nothing);
        }
        read(self).map(Known::Is)
    }

    /// A list of anything; most are empty.
    pub(crate) fn list<T: DeserializeOwned>(&mut self) -> Result<Vec<T>> {
        if self.0.first() == Some(&Marker::FixArray(0).to_u8()) {
            self.0 = &self.0[1..];
            return Ok(vec![]);
        }
        self.other()
    }

    /// How many entries the mapping has that begins here.
    pub(crate) fn entries(&mut self) -> Result<u32> {
        decode::read_map_len(&mut self.0).map_err(unreadable)
    }

    /// Text.
    pub(crate) fn text(&mut self) -> Result<&'b str> {
        let length = decode::read_str_len(&mut self.0).map_err(|why: ValueReadError| unreadable(why))? as usize;
        let (text, rest) = self.0.split_at_checked(length).ok_or_else(|| unreadable("it ends early"))?;
        self.0 = rest;
        std::str::from_utf8(text).map_err(unreadable)
    }

    /// A value of any kind, the usual way.
    pub(crate) fn other<T: DeserializeOwned>(&mut self) -> Result<T> {
        let mut reader = rmp_serde::Deserializer::new(Cursor::new(self.0));
        let value = T::deserialize(&mut reader).map_err(unreadable)?;
        let read = usize::try_from(reader.position()).unwrap_or(usize::MAX);
        self.0 = self.0.get(read..).unwrap_or_default();
        Ok(value)
    }
}

/// A message that is not what was expected.
pub(crate) fn unreadable(why: impl fmt::Display) -> Error {
    Error::new(Kind::Contract, format!("a message cannot be understood: {why}"))
}
