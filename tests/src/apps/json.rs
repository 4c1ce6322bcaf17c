//! JSON with its keys in the order given, in the two styles Home Assistant has written it in.

/// A JSON value.
#[derive(Clone, Debug)]
pub enum Json {
    /// A literal: a number, `true`, `null`.
    Raw(String),
    /// Text.
    Text(String),
    /// A list.
    List(Vec<Json>),
    /// An object.
    Map(Vec<(String, Json)>),
}

/// How it is written.
#[derive(Clone, Copy, Debug)]
pub struct Style {
    /// Blanks per level.
    pub indent: usize,
    /// Whether what is not ASCII is escaped.
    pub ascii: bool,
}

impl From<&str> for Json {
    fn from(text: &str) -> Json {
        Json::Text(text.to_owned())
    }
}

impl From<String> for Json {
    fn from(text: String) -> Json {
        Json::Text(text)
    }
}

impl From<bool> for Json {
    fn from(yes: bool) -> Json {
        Json::Raw(yes.to_string())
    }
}

impl<T: Into<Json>> From<Option<T>> for Json {
    fn from(value: Option<T>) -> Json {
        value.map_or(Json::Raw("null".to_owned()), Into::into)
    }
}

impl From<Vec<Json>> for Json {
    fn from(items: Vec<Json>) -> Json {
        Json::List(items)
    }
}

/// An object.
pub fn object<const N: usize>(fields: [(&str, Json); N]) -> Json {
    Json::Map(fields.into_iter().map(|(name, value)| (name.to_owned(), value)).collect())
}

/// A number, as it is to be written.
pub fn raw(text: impl Into<String>) -> Json {
    Json::Raw(text.into())
}

impl Json {
    /// The same object with one more field at its end.
    #[must_use]
    pub fn with(mut self, name: &str, value: impl Into<Json>) -> Json {
        if let Json::Map(fields) = &mut self {
            fields.push((name.to_owned(), value.into()));
        }
        self
    }

    /// The value as text, without a newline at the end.
    pub fn write(&self, style: Style) -> String {
        let mut out = String::new();
        self.write_at(style, 0, &mut out);
        out
    }

    fn write_at(&self, style: Style, depth: usize, out: &mut String) {
        let newline = |depth: usize| format!("\n{}", " ".repeat(style.indent * depth));
        match self {
            Json::Raw(text) => out.push_str(text),
            Json::Text(text) => quote(text, style.ascii, out),
            Json::List(items) if items.is_empty() => out.push_str("[]"),
            Json::Map(fields) if fields.is_empty() => out.push_str("{}"),
            Json::List(items) => {
                for (place, item) in items.iter().enumerate() {
                    out.push_str(if place == 0 { "[" } else { "," });
                    out.push_str(&newline(depth + 1));
                    item.write_at(style, depth + 1, out);
                }
                out.push_str(&format!("{}]", newline(depth)));
            }
            Json::Map(fields) => {
                for (place, (name, value)) in fields.iter().enumerate() {
                    out.push_str(if place == 0 { "{" } else { "," });
                    out.push_str(&newline(depth + 1));
                    quote(name, style.ascii, out);
                    out.push_str(": ");
                    value.write_at(style, depth + 1, out);
                }
                out.push_str(&format!("{}}}", newline(depth)));
            }
        }
    }
}

fn quote(text: &str, ascii: bool, out: &mut String) {
    let quoted = serde_json::Value::from(text).to_string();
    if !ascii {
        out.push_str(&quoted);
        return;
    }
    for character in quoted.chars() {
        if character.is_ascii() {
            out.push(character);
        } else {
            let mut units = [0; 2];
            out.extend(character.encode_utf16(&mut units).iter().map(|unit| format!("\\u{unit:04x}")));
        }
    }
}
