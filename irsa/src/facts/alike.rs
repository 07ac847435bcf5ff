//! What makes two pods alike.
//!
//! The pods of a workload differ in their names, addresses, times and in what plugins note about each of them, and nearly never does
//! that matter. An [`Outline`] is what is left of an object without it; where it does matter, somebody reads it, and a [`Varying`]
//! value remembers that. What was worked out from one pod holds for another if their outlines are equal and so is everything that
//! was read: the work cannot depend on what it did not read.

use std::cmp::Ordering::{Greater, Less};
use std::collections::{BTreeMap, BTreeSet};
use std::fmt;
use std::mem::discriminant;
use std::ops::Deref;
use std::sync::atomic::AtomicBool;
use std::sync::atomic::Ordering::Relaxed;
use std::sync::{Arc, Mutex, PoisonError};

use jiff::Timestamp;
use serde::{Deserialize, Deserializer, Serialize, Serializer};
use serde_json::Value;

use super::{Fact, Listing, Sourced};
use crate::text::foreign::Quoted;

/// A value that differs between pods that are otherwise alike, and whether it has been read. Every way to the value notes that but
/// [`Self::unjudged`].
#[derive(Default)]
pub struct Varying<T> {
    value: T,
    read: AtomicBool,
}

impl<T> Varying<T> {
    /// Notes that the value counts, or something that it stands for.
    pub fn counts(&self) {
        // Nothing else is ordered by it.
        self.read.store(true, Relaxed);
    }

    /// The value, for what only says it as what was found: nothing is decided by it, and no reports are held apart.
    pub fn unjudged(&self) -> &T {
        &self.value
    }
}

impl<T> Deref for Varying<T> {
    type Target = T;
    fn deref(&self) -> &T {
        self.counts();
        &self.value
    }
}

impl<T> From<T> for Varying<T> {
    fn from(value: T) -> Self {
        Self { value, read: AtomicBool::new(false) }
    }
}

impl From<&Varying<String>> for String {
    fn from(text: &Varying<String>) -> Self {
        (**text).clone()
    }
}

impl<T: PartialEq<U>, U: ?Sized> PartialEq<U> for Varying<T> {
    fn eq(&self, other: &U) -> bool {
        **self == *other
    }
}

impl<T: fmt::Display> fmt::Display for Varying<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        (**self).fmt(f)
    }
}

impl<T: Clone> Clone for Varying<T> {
    fn clone(&self) -> Self {
        Self::from((**self).clone())
    }
}

impl<T: fmt::Debug> fmt::Debug for Varying<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        (**self).fmt(f)
    }
}

impl<T: Serialize> Serialize for Varying<T> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        (**self).serialize(serializer)
    }
}

impl<'de, T: Deserialize<'de>> Deserialize<'de> for Varying<T> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        T::deserialize(deserializer).map(Self::from)
    }
}

/// When something happened, if that is known. Of most times only the order counts: then that is all that is noted.
#[derive(Default)]
pub struct Moment {
    time: Varying<Option<Timestamp>>,
    /// What it was compared with.
    compared: Mutex<Vec<Timestamp>>,
}

impl Moment {
    /// True if it is known.
    pub fn is_known(&self) -> bool {
        self.time.unjudged().is_some()
    }

    /// True if it is known to be before another moment.
    pub fn is_before(&self, other: Timestamp) -> bool {
        self.order(other) == Some(Less)
    }

    /// True if it is known to be after another moment.
    pub fn is_after(&self, other: Timestamp) -> bool {
        self.order(other) == Some(Greater)
    }

    /// How it compares with another moment.
    fn order(&self, other: Timestamp) -> Option<std::cmp::Ordering> {
        self.compared.lock().unwrap_or_else(PoisonError::into_inner).push(other);
        self.time.unjudged().map(|time| time.cmp(&other))
    }

    /// The time itself, where it counts.
    pub fn time(&self) -> Option<Timestamp> {
        *self.time
    }

    /// The time, for what only says it.
    pub fn unjudged(&self) -> Option<Timestamp> {
        *self.time.unjudged()
    }

    /// The same as text; empty if it is not known.
    pub fn said(&self) -> String {
        self.unjudged().map_or_else(String::new, |time| time.to_string())
    }
}

impl From<Option<Timestamp>> for Moment {
    fn from(time: Option<Timestamp>) -> Self {
        Self { time: time.into(), compared: Mutex::default() }
    }
}

impl Clone for Moment {
    fn clone(&self) -> Self {
        self.time().into()
    }
}

impl fmt::Debug for Moment {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.time.fmt(f)
    }
}

impl Serialize for Moment {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        self.time.serialize(serializer)
    }
}

impl<'de> Deserialize<'de> for Moment {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        Option::deserialize(deserializer).map(Self::from)
    }
}

/// What was made of a value.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Use {
    /// Nothing.
    None,
    /// It was compared with these moments.
    Compared(Vec<Timestamp>),
    /// It was read.
    Read,
}

/// A value that remembers what was made of it.
pub trait Vary {
    /// What was made of it since that was last forgotten.
    fn used(&self) -> Use;
    /// Forgets it.
    fn forget(&self);
    /// Writes as much of the value as such a use sees.
    fn write(&self, used: &Use, bytes: &mut Vec<u8>);
}

impl<T: Outline> Vary for Varying<T> {
    fn used(&self) -> Use {
        if self.read.load(Relaxed) { Use::Read } else { Use::None }
    }

    fn forget(&self) {
        self.read.store(false, Relaxed);
    }

    fn write(&self, used: &Use, bytes: &mut Vec<u8>) {
        if *used != Use::None {
            let mut pen = Pen { bytes: std::mem::take(bytes), ..Pen::default() };
            self.value.outline(&mut pen);
            *bytes = pen.bytes;
        }
    }
}

impl Vary for Moment {
    fn used(&self) -> Use {
        let mut compared = self.compared.lock().unwrap_or_else(PoisonError::into_inner).clone();
        compared.sort_unstable();
        compared.dedup();
        match self.time.used() {
            Use::None if !compared.is_empty() => Use::Compared(compared),
            used => used,
        }
    }

    fn forget(&self) {
        self.time.forget();
        self.compared.lock().unwrap_or_else(PoisonError::into_inner).clear();
    }

    fn write(&self, used: &Use, bytes: &mut Vec<u8>) {
        match used {
            Use::Compared(moments) => {
                let order = |moment| self.unjudged().map_or(2, |time| time.cmp(moment) as i8);
                bytes.extend(moments.iter().map(order).flat_map(i8::to_le_bytes));
            }
            Use::None | Use::Read => self.time.write(used, bytes),
        }
    }
}

/// Writes outlines. What is written of two values of one type is equal only if they are, but for what varies.
#[derive(Default)]
pub struct Pen<'f> {
    /// The outline.
    pub bytes: Vec<u8>,
    /// What varies, in the order in which it stands.
    pub varying: Vec<&'f dyn Vary>,
    /// The ends of the names of volumes for the API server's own token.
    token_volumes: Vec<&'f str>,
}

impl<'f> Pen<'f> {
    /// A number, a length, or which variant it is.
    pub fn number(&mut self, number: i128) {
        self.bytes.extend(number.to_le_bytes());
    }

    /// A text.
    pub fn text(&mut self, text: &'f str) {
        match self.token_volume(text) {
            Some(index) => self.bytes.extend([0xfe, index]),
            None => self.bytes.extend(text.as_bytes()),
        }
        // No text contains it.
        self.bytes.push(0xff);
    }

    /// Which of the volumes for the API server's own token it names: those end at random (`kube-api-access-x7k2p`).
    fn token_volume(&mut self, text: &'f str) -> Option<u8> {
        let end = text.strip_prefix("kube-api-access-")?;
        let known = self.token_volumes.iter().position(|known| *known == end);
        let index = known.unwrap_or_else(|| {
            self.token_volumes.push(end);
            self.token_volumes.len() - 1
        });
        u8::try_from(index).ok()
    }

    /// Any value that can be printed, in full.
    pub fn printed(&mut self, value: &dyn fmt::Debug) {
        self.bytes.extend(format!("{value:?}").into_bytes());
        self.bytes.push(0xff);
    }

    /// What several subjects have in common: it is the same if it stands in the same place.
    pub fn shared<T>(&mut self, shared: &Arc<T>) {
        self.address(&**shared);
    }

    /// What is the same as nothing else.
    pub fn address<T>(&mut self, value: &T) {
        self.number(std::ptr::from_ref(value).addr() as i128);
    }
}

/// What is left of a value without what varies.
pub trait Outline {
    /// Writes it.
    fn outline<'f>(&'f self, pen: &mut Pen<'f>);
}

impl<T: Outline> Outline for Varying<T> {
    fn outline<'f>(&'f self, pen: &mut Pen<'f>) {
        pen.varying.push(self);
    }
}

impl Outline for Moment {
    fn outline<'f>(&'f self, pen: &mut Pen<'f>) {
        pen.bytes.push(self.is_known().into());
        pen.varying.push(self);
    }
}

impl Outline for String {
    fn outline<'f>(&'f self, pen: &mut Pen<'f>) {
        pen.text(self);
    }
}

impl Outline for Quoted {
    fn outline<'f>(&'f self, pen: &mut Pen<'f>) {
        pen.text(self);
    }
}

macro_rules! numbers {
    ($($number:ty),*) => {
        $(impl Outline for $number {
            fn outline<'f>(&'f self, pen: &mut Pen<'f>) {
                pen.number((*self).into());
            }
        })*
    };
}

numbers!(bool, u16, i32, u32, i64);

impl Outline for Timestamp {
    fn outline<'f>(&'f self, pen: &mut Pen<'f>) {
        pen.number(self.as_nanosecond());
    }
}

impl Outline for Value {
    fn outline<'f>(&'f self, pen: &mut Pen<'f>) {
        pen.printed(self);
    }
}

impl<T: Outline> Outline for Option<T> {
    fn outline<'f>(&'f self, pen: &mut Pen<'f>) {
        pen.bytes.push(self.is_some().into());
        if let Some(value) = self {
            value.outline(pen);
        }
    }
}

impl<T: Outline> Outline for Vec<T> {
    fn outline<'f>(&'f self, pen: &mut Pen<'f>) {
        pen.number(self.len() as i128);
        self.iter().for_each(|item| item.outline(pen));
    }
}

impl<T: Outline> Outline for BTreeSet<T> {
    fn outline<'f>(&'f self, pen: &mut Pen<'f>) {
        pen.number(self.len() as i128);
        self.iter().for_each(|item| item.outline(pen));
    }
}

impl<T: Outline> Outline for BTreeMap<String, T> {
    fn outline<'f>(&'f self, pen: &mut Pen<'f>) {
        pen.number(self.len() as i128);
        for (key, value) in self {
            pen.text(key);
            value.outline(pen);
        }
    }
}

impl<T: Outline> Outline for Arc<T> {
    fn outline<'f>(&'f self, pen: &mut Pen<'f>) {
        (**self).outline(pen);
    }
}

impl<T: Outline> Outline for Sourced<T> {
    fn outline<'f>(&'f self, pen: &mut Pen<'f>) {
        let Self { value, source } = self;
        // Where exactly it was read is only said.
        pen.printed(&discriminant(source));
        value.outline(pen);
    }
}

impl<T: Outline> Outline for Listing<T> {
    fn outline<'f>(&'f self, pen: &mut Pen<'f>) {
        let Self { items, cut } = self;
        items.outline(pen);
        pen.printed(cut);
    }
}

impl<T: Outline> Outline for Fact<T> {
    fn outline<'f>(&'f self, pen: &mut Pen<'f>) {
        match self {
            Self::Known(known) => {
                pen.number(0);
                known.outline(pen);
            }
            Self::Absent { source } => {
                pen.number(1);
                pen.printed(source);
            }
            Self::Unknown(unknown) => {
                pen.number(2);
                pen.printed(unknown);
            }
        }
    }
}

/// What may be there or not, as fields of Kubernetes may.
pub(crate) trait Bare {
    /// True for what is the same as nothing: then it is left out where it is written.
    fn is_bare(&self) -> bool;
}

macro_rules! bare {
    ($($({$($of:tt)*})? $type:ty: $self:ident => $is:expr;)*) => {
        $(impl<$($($of)*)?> Bare for $type {
            fn is_bare(&$self) -> bool {
                $is
            }
        })*
    };
}

bare! {
    String: self => self.is_empty();
    Quoted: self => str::is_empty(self);
    bool: self => !self;
    u16: self => *self == 0;
    i32: self => *self == 0;
    u32: self => *self == 0;
    i64: self => *self == 0;
    Moment: self => !self.is_known();
    {T} Option<T>: self => self.is_none();
    {T} Vec<T>: self => self.is_empty();
    {T} BTreeSet<T>: self => self.is_empty();
    {K, V} BTreeMap<K, V>: self => self.is_empty();
    {T: Bare} Varying<T>: self => self.unjudged().is_bare();
}

/// The outline of a type is that of all its fields: one that is added is not forgotten.
macro_rules! outlined {
    ($($name:ident { $($field:ident),* $(,)? })*) => {
        $(impl $crate::facts::alike::Outline for $name {
            fn outline<'f>(&'f self, pen: &mut $crate::facts::alike::Pen<'f>) {
                let Self { $($field),* } = self;
                $($crate::facts::alike::Outline::outline($field, pen);)*
            }
        }

        impl $crate::facts::alike::Bare for $name {
            fn is_bare(&self) -> bool {
                let Self { $($field),* } = self;
                true $(&& $crate::facts::alike::Bare::is_bare($field))*
            }
        })*
    };
}
pub(crate) use outlined;
