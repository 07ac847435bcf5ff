//! YAML and JSON as a tree that knows the position of each part.
//!
//! Built from the parser's events rather than with its loader: the loader recurses as deep as the text nests, and the
//! text may come from anywhere. Scalars are read as `kubectl` reads them (sigs.k8s.io/yaml, YAML 1.1): `yes` is a
//! boolean, `0644` is octal, a time is a string.

use std::collections::{HashMap, HashSet};
use std::ops::Range;
use std::rc::Rc;

use saphyr_parser::{Event, Marker, Parser, ScalarStyle, ScanError, StrInput, Tag};
use serde::de::IgnoredAny;
use thiserror::Error;
use zeroize::Zeroize;

use crate::facts::{Position, Positions};

/// Deeper nesting is refused. Kubernetes objects stay below 30.
const MAX_DEPTH: usize = 100;
/// How much aliases may add to a text: nodes, plus one for every sixteen bytes of their text.
const ALIAS_BUDGET: usize = 1_000_000;

/// One part of a document.
#[derive(Clone)]
pub(crate) struct Node {
    pub at: Position,
    pub content: Content,
}

/// What a part is.
#[derive(Clone)]
pub(crate) enum Content {
    Null,
    Bool(bool),
    Int(i64),
    Uint(u64),
    Float(f64),
    Text(String),
    List(Vec<Node>),
    Map(Vec<Entry>),
    /// A part with an anchor, and each alias of it.
    Shared(Rc<Node>),
}

/// One entry of a mapping.
#[derive(Clone)]
pub(crate) struct Entry {
    pub key: String,
    pub key_at: Position,
    pub value: Node,
}

/// Why a text cannot be read.
#[derive(Debug, Error, PartialEq, Eq)]
pub(crate) enum Flaw {
    #[error("this is neither YAML nor JSON: {0}")]
    Syntax(String),
    #[error("duplicate key \"{0}\" in this mapping")]
    DuplicateKey(String),
    #[error("nested deeper than {MAX_DEPTH} levels; no Kubernetes object is")]
    TooDeep,
    #[error("the aliases in this file expand to more than {ALIAS_BUDGET} values")]
    Aliases,
    #[error("the alias refers to no anchor that ends before it in this document")]
    NoAnchor,
    #[error("a key is {0}; expected a string")]
    Key(&'static str),
    #[error("`<<` is {0}; expected a mapping or a list of mappings")]
    Merge(&'static str),
}

/// A flaw and its position.
pub(crate) type At<T> = (Position, T);

impl Node {
    /// The part itself, behind anchors and aliases.
    pub(crate) fn content(&self) -> &Content {
        let mut content = &self.content;
        while let Content::Shared(shared) = content {
            content = &shared.content;
        }
        content
    }

    /// Overwrites what it holds: it may be a Secret's. What is shared by aliases is in use elsewhere.
    pub(super) fn wipe(&mut self) {
        match &mut self.content {
            Content::Text(text) => text.zeroize(),
            Content::List(items) => items.iter_mut().for_each(Self::wipe),
            Content::Map(entries) => entries.iter_mut().for_each(|entry| entry.value.wipe()),
            Content::Shared(shared) => {
                if let Some(alone) = Rc::get_mut(shared) {
                    alone.wipe();
                }
            }
            Content::Null | Content::Bool(_) | Content::Int(_) | Content::Uint(_) | Content::Float(_) => {}
        }
    }

    /// Overwrites the values of these members, and keeps their keys.
    pub(crate) fn wipe_members(&mut self, keys: &[&str]) {
        match &mut self.content {
            Content::Map(entries) => {
                let theirs = entries.iter_mut().filter(|entry| keys.contains(&entry.key.as_str()));
                theirs.for_each(|entry| entry.value.wipe());
            }
            Content::Shared(shared) => match Rc::get_mut(shared) {
                Some(alone) => alone.wipe_members(keys),
                None => {
                    let mut own = Rc::unwrap_or_clone(Rc::clone(shared));
                    own.wipe_members(keys);
                    *self = own;
                }
            },
            _ => {}
        }
    }

    /// The value of a key.
    pub(crate) fn get(&self, key: &str) -> Option<&Node> {
        match self.content() {
            Content::Map(entries) => entries.iter().find(|entry| entry.key == key).map(|entry| &entry.value),
            _ => None,
        }
    }

    /// The text of a key, if it is text.
    pub(crate) fn text(&self, key: &str) -> Option<&str> {
        match self.get(key)?.content() {
            Content::Text(text) => Some(text),
            _ => None,
        }
    }

    /// True if any text in it is such.
    pub(super) fn any_text(&self, is: &impl Fn(&str) -> bool) -> bool {
        match self.content() {
            Content::Text(text) => is(text),
            Content::List(items) => items.iter().any(|item| item.any_text(is)),
            Content::Map(entries) => entries.iter().any(|entry| entry.value.any_text(is)),
            _ => false,
        }
    }

    /// What it is, for messages.
    pub(crate) fn word(&self) -> &'static str {
        match self.content() {
            Content::Null | Content::Shared(_) => "empty",
            Content::Bool(_) => "a boolean",
            Content::Int(_) | Content::Uint(_) | Content::Float(_) => "a number",
            Content::Text(_) => "a string",
            Content::List(_) => "a list",
            Content::Map(_) => "a mapping",
        }
    }

    /// The function's call, if it is one's argument.
    fn argument_of(self, function: Option<String>) -> Self {
        let at = self.at;
        match function {
            None => self,
            Some(key) => Self { at, content: Content::Map(vec![Entry { key, key_at: at, value: self }]) },
        }
    }

    /// Nothing, at the start of a file.
    pub(crate) fn nowhere() -> Self {
        Self { at: START, content: Content::Null }
    }

    /// A tree whose parts all have one position.
    fn of_json(value: serde_json::Value, at: Position) -> Self {
        use serde_json::Value;
        let content = match value {
            Value::Null => Content::Null,
            Value::Bool(value) => Content::Bool(value),
            Value::Number(number) => match (number.as_i64(), number.as_u64()) {
                (Some(value), _) => Content::Int(value),
                (None, Some(value)) => Content::Uint(value),
                (None, None) => Content::Float(number.as_f64().unwrap_or_default()),
            },
            Value::String(text) => Content::Text(text),
            Value::Array(items) => {
                Content::List(items.into_iter().map(|item| Self::of_json(item, at)).collect())
            }
            Value::Object(map) => Content::Map(
                map.into_iter()
                    .map(|(key, value)| Entry { key, key_at: at, value: Self::of_json(value, at) })
                    .collect(),
            ),
        };
        Self { at, content }
    }
}

/// What is read of a text.
pub(super) enum Piece<'n> {
    /// An item of the list `items` of the document that is being read, and the fields before that list.
    Item(Node, &'n [Entry]),
    /// A whole document, whose `items` were handed on.
    Document(Node),
}

/// Every document of a text, whole, and the flaw that ends it. A short form of CloudFormation (`!Ref x`) is the object that it
/// stands for: `{Ref: x}`.
pub(crate) fn whole_documents(text: &str) -> (Vec<Node>, Option<At<Flaw>>) {
    let mut whole = Vec::new();
    let ended = match json_values(text) {
        Some(values) => values.into_iter().try_for_each(|(chunk, base)| {
            whole.push(json_value(chunk, base)?);
            Ok(())
        }),
        None => {
            let mut documents = Documents { whole: true, short_forms: true, ..Documents::new(text, START) };
            loop {
                match documents.document(&mut |_| Ok(())).map_err(Stop::<At<Flaw>>::error) {
                    Ok(Some(node)) => whole.push(node),
                    Ok(None) => break Ok(()),
                    Err(flaw) => break Err(flaw),
                }
            }
        }
    };
    (whole, ended.err())
}

/// Hands on every document of a text, one after the other, and each item of a list by itself, so that only one is in memory.
///
/// # Errors
/// The first flaw of the text, or the first error of `take`.
pub(super) fn documents<E: From<At<Flaw>>>(
    text: &str,
    mut take: impl FnMut(Piece<'_>) -> Result<(), E>,
) -> Result<(), E> {
    let Some(values) = json_values(text) else {
        return Documents::new(text, START).hand_on(&mut take).map_err(Stop::error);
    };
    for (chunk, base) in values {
        let Some(list) = json_list(chunk) else {
            take(Piece::Document(json_value(chunk, base)?))?;
            continue;
        };
        // The parser holds all of a JSON text before it says anything about it: the items are given to it one by one.
        let rest = [chunk.get(..list.start), Some("[]"), chunk.get(list.end..)];
        let document = json_value(&rest.into_iter().flatten().collect::<String>(), base)?;
        let before = match document.content() {
            Content::Map(entries) => entries.as_slice(),
            _ => &[],
        };
        let (mut from, mut at) = (0, base);
        for item in list.items {
            at = advance(at, chunk.get(from..item.start).unwrap_or_default());
            from = item.start;
            let node = json_value(chunk.get(item).unwrap_or_default(), at)?;
            take(Piece::Item(node, before))?;
        }
        take(Piece::Document(document))?;
    }
    Ok(())
}

/// A JSON value, whose text stands at `base`.
fn json_value(text: &str, base: Position) -> Result<Node, At<Flaw>> {
    let whole = Documents { whole: true, ..Documents::new(text, base) }.document(&mut |_| Ok(()));
    match whole.map_err(Stop::<At<Flaw>>::error) {
        Ok(node) => Ok(node.unwrap_or(Node { at: base, content: Content::Null })),
        // JSON that is not YAML: escaped surrogate pairs, very long keys. It is read without positions.
        Err((at, Flaw::Syntax(message))) => {
            let value = serde_json::from_str(text).map_err(|_| (at, Flaw::Syntax(message)))?;
            Ok(Node::of_json(value, base))
        }
        Err(flaw) => Err(flaw),
    }
}

/// Where the list `items` of a JSON object is, and each of its items.
struct JsonList {
    start: usize,
    end: usize,
    items: Vec<Range<usize>>,
}

/// The list `items` of an object, if it has one, and only one. The text is known to be JSON.
fn json_list(text: &str) -> Option<JsonList> {
    let skip = |at: usize, signs: &[char]| {
        let rest = text.get(at..)?;
        Some(at + rest.len() - rest.trim_start().trim_start_matches(signs).trim_start().len())
    };
    let end_of = |at: usize| {
        let mut values = serde_json::Deserializer::from_str(text.get(at..)?).into_iter::<IgnoredAny>();
        values.next()?.ok()?;
        Some(at + values.byte_offset())
    };
    let mut at = skip(0, &['{'])?;
    let mut list = None;
    while !text.get(at..)?.starts_with('}') {
        let key_end = end_of(at)?;
        let is_items = text.get(at..key_end)? == "\"items\"";
        let start = skip(key_end, &[':'])?;
        let end = end_of(start)?;
        if is_items && text.get(start..)?.starts_with('[') {
            let mut items = Vec::new();
            let mut from = skip(start + 1, &[])?;
            while !text.get(from..)?.starts_with(']') {
                let to = end_of(from)?;
                items.push(from..to);
                from = skip(to, &[','])?;
            }
            if list.replace(JsonList { start, end, items }).is_some() {
                return None;
            }
        }
        at = skip(end, &[','])?;
    }
    list
}

/// What ends the reading: the text, or who takes it.
enum Stop<E> {
    Flaw(At<Flaw>),
    Taker(E),
}

impl<E: From<At<Flaw>>> Stop<E> {
    fn error(self) -> E {
        match self {
            Self::Flaw(flaw) => flaw.into(),
            Self::Taker(error) => error,
        }
    }
}

impl<E> From<At<Flaw>> for Stop<E> {
    fn from(flaw: At<Flaw>) -> Self {
        Self::Flaw(flaw)
    }
}

const START: Position = Position { line: 1, column: 1 };

/// The values of a JSON stream (`{…}{…}`, which is not YAML), each with its position; `None` if the text is not JSON.
fn json_values(text: &str) -> Option<Vec<(&str, Position)>> {
    if !text.trim_start().starts_with(['{', '[']) {
        return None;
    }
    let mut stream = serde_json::Deserializer::from_str(text).into_iter::<IgnoredAny>();
    let (mut values, mut from, mut at) = (Vec::new(), 0, START);
    while let Some(value) = stream.next() {
        value.ok()?;
        let to = stream.byte_offset();
        let start = to - text.get(from..to)?.trim_start().len();
        at = advance(at, text.get(from..start)?);
        let chunk = text.get(start..to)?;
        values.push((chunk, at));
        at = advance(at, chunk);
        from = to;
    }
    Some(values)
}

/// The position behind a text that starts at `at`.
fn advance(at: Position, text: &str) -> Position {
    match text.rsplit_once('\n') {
        Some((before, last)) => {
            Position { line: at.line + 1 + before.matches('\n').count(), column: 1 + last.chars().count() }
        }
        None => Position { line: at.line, column: at.column + text.chars().count() },
    }
}

/// Reads one document after the other.
struct Documents<'t> {
    parser: Parser<'t, StrInput<'t>>,
    base: Position,
    end: Position,
    /// Finished anchors of this document: the node, its weight and its height.
    anchors: HashMap<usize, (Rc<Node>, usize, usize)>,
    alias_budget: usize,
    /// The items of a list are not handed on by themselves.
    whole: bool,
    /// Tags are CloudFormation's functions.
    short_forms: bool,
}

/// A list or a mapping that is not finished.
struct Frame {
    at: Position,
    anchor: usize,
    /// The function whose argument it is.
    function: Option<String>,
    open: Open,
    /// Nodes in it, and their text by the sixteen bytes, with aliases unfolded.
    weight: usize,
    /// Levels below it.
    height: usize,
}

enum Open {
    List(Vec<Node>),
    Map { entries: Vec<Entry>, key: Option<Key>, merged: Vec<Node> },
}

/// A key whose value is to come.
enum Key {
    Text(String, Position),
    /// `<<`
    Merge,
}

/// A finished part.
struct Part {
    /// Its anchor, 0 for none.
    anchor: usize,
    weight: usize,
    height: usize,
    /// It is a plain `<<`.
    merge: bool,
    node: Node,
}

impl<'t> Documents<'t> {
    fn new(text: &'t str, base: Position) -> Self {
        let parser = Parser::new_from_str(text);
        let end = advance(base, text);
        Self {
            parser,
            base,
            end,
            anchors: HashMap::new(),
            alias_budget: ALIAS_BUDGET,
            whole: false,
            short_forms: false,
        }
    }

    fn place(&self, mark: Marker) -> Position {
        let shift = if mark.line() <= 1 { self.base.column - 1 } else { 0 };
        let line = mark.line().max(1) + self.base.line - 1;
        // The parser counts the end of a text that lacks the last line break as a line of its own.
        if line > self.end.line { self.end } else { Position { line, column: mark.col() + 1 + shift } }
    }

    fn hand_on<E>(mut self, take: &mut impl FnMut(Piece<'_>) -> Result<(), E>) -> Result<(), Stop<E>> {
        while let Some(node) = self.document(take)? {
            take(Piece::Document(node)).map_err(Stop::Taker)?;
        }
        Ok(())
    }

    fn document<E>(
        &mut self,
        take: &mut impl FnMut(Piece<'_>) -> Result<(), E>,
    ) -> Result<Option<Node>, Stop<E>> {
        let mut stack: Vec<Frame> = Vec::new();
        let mut root = None;
        while let Some(event) = self.parser.next_event() {
            let (event, span) = event.map_err(|error| self.syntax(&error))?;
            let at = self.place(span.start);
            let part = match event {
                Event::Nothing | Event::StreamStart | Event::DocumentStart(_) => continue,
                Event::StreamEnd => break,
                Event::DocumentEnd => {
                    self.anchors.clear();
                    return Ok(Some(root.unwrap_or(Node { at, content: Content::Null })));
                }
                Event::SequenceStart(anchor, tag) => {
                    let function = self.function(tag.as_deref());
                    open(&mut stack, at, anchor, function, Open::List(Vec::new()))?;
                    continue;
                }
                Event::MappingStart(anchor, tag) => {
                    let function = self.function(tag.as_deref());
                    let map = Open::Map { entries: Vec::new(), key: None, merged: Vec::new() };
                    open(&mut stack, at, anchor, function, map)?;
                    continue;
                }
                Event::SequenceEnd | Event::MappingEnd => {
                    // The parser closes only what it opened.
                    let Some(frame) = stack.pop() else { continue };
                    frame.close()?
                }
                Event::Alias(id) => self.alias(id, at, stack.len())?,
                Event::Scalar(text, style, anchor, tag) => {
                    let merge = style == ScalarStyle::Plain && tag.is_none() && text == "<<";
                    let weight = 1 + text.len() / 16;
                    let content = scalar(text.into_owned(), style, tag.as_deref());
                    let function = self.function(tag.as_deref());
                    let node = Node { at, content }.argument_of(function);
                    Part { anchor, weight, height: 0, merge, node }
                }
            };
            let part = self.share(part);
            match stack.as_mut_slice() {
                [] => root = Some(part.node),
                [Frame { open: Open::Map { entries, key: Some(Key::Text(key, _)), .. }, .. }, list]
                    if !self.whole
                        && key == "items"
                        && list.anchor == 0
                        && matches!(list.open, Open::List(_)) =>
                {
                    list.count(&part);
                    take(Piece::Item(part.node, entries)).map_err(Stop::Taker)?;
                }
                [.., frame] => frame.add(part)?,
            }
        }
        Ok(None)
    }

    /// The function that a short form stands for: `Ref`, `Fn::Sub`.
    fn function(&self, tag: Option<&Tag>) -> Option<String> {
        let tag = tag.filter(|tag| self.short_forms && tag.handle == "!")?;
        Some(match tag.suffix.as_str() {
            name @ ("Ref" | "Condition") => name.to_owned(),
            name => format!("Fn::{name}"),
        })
    }

    fn syntax(&self, error: &ScanError) -> At<Flaw> {
        let flaw = match error.info() {
            // The scanner looks ahead, so it may meet its own limit before ours is met.
            "recursion limit exceeded" => Flaw::TooDeep,
            info => Flaw::Syntax(info.to_owned()),
        };
        (self.place(*error.marker()), flaw)
    }

    fn share(&mut self, mut part: Part) -> Part {
        if part.anchor != 0 {
            let at = part.node.at;
            let shared = Rc::new(part.node);
            self.anchors.insert(part.anchor, (Rc::clone(&shared), part.weight, part.height));
            part.node = Node { at, content: Content::Shared(shared) };
        }
        part
    }

    /// The node that an alias refers to. It is shared, not copied, but readers of the tree visit it once more: that is what the
    /// budget limits.
    fn alias(&mut self, id: usize, at: Position, depth: usize) -> Result<Part, At<Flaw>> {
        let (shared, weight, height) = self.anchors.get(&id).ok_or((at, Flaw::NoAnchor))?;
        if depth + height > MAX_DEPTH {
            return Err((at, Flaw::TooDeep));
        }
        self.alias_budget = self.alias_budget.checked_sub(*weight).ok_or((at, Flaw::Aliases))?;
        let node = Node { at: shared.at, content: Content::Shared(Rc::clone(shared)) };
        Ok(Part { anchor: 0, weight: *weight, height: *height, merge: false, node })
    }
}

fn open(
    stack: &mut Vec<Frame>,
    at: Position,
    anchor: usize,
    function: Option<String>,
    open: Open,
) -> Result<(), At<Flaw>> {
    if stack.len() >= MAX_DEPTH {
        return Err((at, Flaw::TooDeep));
    }
    stack.push(Frame { at, anchor, function, open, weight: 1, height: 0 });
    Ok(())
}

impl Frame {
    fn count(&mut self, part: &Part) {
        self.weight += part.weight;
        self.height = self.height.max(part.height);
    }

    fn add(&mut self, part: Part) -> Result<(), At<Flaw>> {
        self.count(&part);
        match &mut self.open {
            Open::List(items) => items.push(part.node),
            Open::Map { key: key @ None, .. } => {
                let at = part.node.at;
                *key = Some(if part.merge { Key::Merge } else { Key::Text(key_text(&part.node)?, at) });
            }
            Open::Map { entries, key, merged } => match key.take() {
                Some(Key::Text(key, key_at)) => entries.push(Entry { key, key_at, value: part.node }),
                Some(Key::Merge) | None => merged.push(part.node),
            },
        }
        Ok(())
    }

    fn close(self) -> Result<Part, At<Flaw>> {
        let content = match self.open {
            Open::List(items) => Content::List(items),
            Open::Map { mut entries, merged, .. } => {
                let mut seen = HashSet::with_capacity(entries.len());
                for entry in &entries {
                    if !seen.insert(entry.key.as_str()) {
                        return Err((entry.key_at, Flaw::DuplicateKey(entry.key.clone())));
                    }
                }
                if !merged.is_empty() {
                    merge(&mut entries, merged)?;
                }
                Content::Map(entries)
            }
        };
        let node = Node { at: self.at, content }.argument_of(self.function);
        Ok(Part { anchor: self.anchor, weight: self.weight, height: self.height + 1, merge: false, node })
    }
}

/// Keys that are not strings become strings, as in `kubectl`.
fn key_text(node: &Node) -> Result<String, At<Flaw>> {
    match node.content() {
        Content::Text(text) => Ok(text.clone()),
        Content::Bool(value) => Ok(value.to_string()),
        Content::Int(value) => Ok(value.to_string()),
        Content::Uint(value) => Ok(value.to_string()),
        Content::Float(value) => Ok(value.to_string()),
        Content::Null | Content::List(_) | Content::Map(_) | Content::Shared(_) => {
            Err((node.at, Flaw::Key(node.word())))
        }
    }
}

/// Adds what `<<` names: keys of the mapping itself win, then those of the first mapping named.
fn merge(entries: &mut Vec<Entry>, merged: Vec<Node>) -> Result<(), At<Flaw>> {
    let mut seen: HashSet<String> = entries.iter().map(|entry| entry.key.clone()).collect();
    let mut waiting = merged;
    waiting.reverse();
    while let Some(node) = waiting.pop() {
        match node.content {
            Content::Shared(shared) => waiting.push(Rc::unwrap_or_clone(shared)),
            Content::List(items) => waiting.extend(items.into_iter().rev()),
            Content::Map(more) => {
                entries.extend(more.into_iter().filter(|entry| seen.insert(entry.key.clone())));
            }
            _ => return Err((node.at, Flaw::Merge(node.word()))),
        }
    }
    Ok(())
}

/// A scalar as `kubectl` reads it.
fn scalar(text: String, style: ScalarStyle, tag: Option<&Tag>) -> Content {
    let typed = match tag {
        None => style == ScalarStyle::Plain,
        Some(tag) => {
            tag.is_yaml_core_schema() && matches!(tag.suffix.as_str(), "bool" | "float" | "int" | "null")
        }
    };
    if !typed {
        return Content::Text(text);
    }
    match text.as_str() {
        "" | "~" | "null" | "Null" | "NULL" => Content::Null,
        "y" | "Y" | "yes" | "Yes" | "YES" | "true" | "True" | "TRUE" | "on" | "On" | "ON" => {
            Content::Bool(true)
        }
        "n" | "N" | "no" | "No" | "NO" | "false" | "False" | "FALSE" | "off" | "Off" | "OFF" => {
            Content::Bool(false)
        }
        ".inf" | ".Inf" | ".INF" | "+.inf" | "+.Inf" | "+.INF" => Content::Float(f64::INFINITY),
        "-.inf" | "-.Inf" | "-.INF" => Content::Float(f64::NEG_INFINITY),
        ".nan" | ".NaN" | ".NAN" => Content::Float(f64::NAN),
        _ => number(&text).unwrap_or(Content::Text(text)),
    }
}

fn number(text: &str) -> Option<Content> {
    if !text.starts_with(['0', '1', '2', '3', '4', '5', '6', '7', '8', '9', '+', '-', '.']) {
        return None;
    }
    let text = text.replace('_', "");
    if let Some(whole) = whole(&text) {
        return i64::try_from(whole).map(Content::Int).ok().or(u64::try_from(whole).map(Content::Uint).ok());
    }
    if !looks_like_a_float(&text) {
        return None;
    }
    let value: f64 = text.parse().ok().filter(|value: &f64| value.is_finite())?;
    // Far below the limits of i64, and exact.
    let exact = value.fract() == 0.0 && value.abs() < 1e15;
    #[allow(clippy::cast_possible_truncation)]
    Some(if exact { Content::Int(value as i64) } else { Content::Float(value) })
}

/// A whole number in Go's notation (`strconv.ParseInt` with base 0), if it fits in 64 bits.
fn whole(text: &str) -> Option<i128> {
    let (sign, digits) = match text.as_bytes().first()? {
        b'-' => (-1, &text[1..]),
        b'+' => (1, &text[1..]),
        _ => (1, text),
    };
    let lower = digits.to_ascii_lowercase();
    let (radix, digits) = if let Some(rest) = lower.strip_prefix("0x") {
        (16, rest)
    } else if let Some(rest) = lower.strip_prefix("0b") {
        (2, rest)
    } else if let Some(rest) = lower.strip_prefix("0o") {
        (8, rest)
    } else if lower.len() > 1 && lower.starts_with('0') {
        (8, &lower[1..])
    } else {
        (10, lower.as_str())
    };
    // `from_str_radix` takes a second sign.
    if digits.starts_with(['+', '-']) {
        return None;
    }
    let value = sign * i128::from(u64::from_str_radix(digits, radix).ok()?);
    (value >= i128::from(i64::MIN)).then_some(value)
}

/// `[-+]?(\.[0-9]+|[0-9]+(\.[0-9]*)?)([eE][-+]?[0-9]+)?`
fn looks_like_a_float(text: &str) -> bool {
    let digits = |text: &str| !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
    let unsigned = text.strip_prefix(['-', '+']).unwrap_or(text);
    let (mantissa, exponent) = match unsigned.split_once(['e', 'E']) {
        Some((mantissa, exponent)) => (mantissa, Some(exponent)),
        None => (unsigned, None),
    };
    let mantissa = match mantissa.split_once('.') {
        Some(("", fraction)) => digits(fraction),
        Some((whole, fraction)) => digits(whole) && (fraction.is_empty() || digits(fraction)),
        None => digits(mantissa),
    };
    mantissa && exponent.is_none_or(|text| digits(text.strip_prefix(['-', '+']).unwrap_or(text)))
}

/// The position of each field of an object, by its path. A field's position is that of its key, an item's that of its value.
///
/// Skips bookkeeping that no check refers to: that is the larger part of what `kubectl get -o yaml` prints.
pub(super) fn positions(node: &Node) -> Positions {
    Positions::of(|found| {
        found("", node.at);
        walk(node, false, &mut String::new(), found);
    })
}

/// The same, but the position of a text or a number is its own, not that of its key.
pub(crate) fn value_positions(node: &Node) -> Positions {
    Positions::of(|found| {
        found("", node.at);
        walk(node, true, &mut String::new(), found);
    })
}

fn walk(node: &Node, of_values: bool, path: &mut String, found: &mut dyn FnMut(&str, Position)) {
    if path == ".metadata.managedFields" {
        return;
    }
    let length = path.len();
    match node.content() {
        Content::List(items) => {
            for (index, item) in items.iter().enumerate() {
                path.push_str(&format!("[{index}]"));
                found(path, item.at);
                walk(item, of_values, path, found);
                path.truncate(length);
            }
        }
        Content::Map(entries) => {
            for entry in entries {
                path.push_str(&key_step(&entry.key));
                let holds_more =
                    matches!(entry.value.content(), Content::List(_) | Content::Map(_) | Content::Null);
                found(path, if of_values && !holds_more { entry.value.at } else { entry.key_at });
                walk(&entry.value, of_values, path, found);
                path.truncate(length);
            }
        }
        _ => {}
    }
}

/// The step to a key, as kubectl's jsonpath writes it.
pub(crate) fn key_step(key: &str) -> String {
    let simple = |c: char| c.is_ascii_alphanumeric() || c == '_' || c == '-';
    if !key.is_empty() && key.chars().all(simple) { format!(".{key}") } else { format!("[\"{key}\"]") }
}
