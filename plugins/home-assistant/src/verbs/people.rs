//! Persons, who are not users: they have trackers and a picture, and may be linked to a user.

use crate::home::Home;
use crate::schema::PEOPLE;
use latchlift_plugin_api::{Change, Error, Filter, Kind, Reader, Record, Result, Select, Value, insert, update};
use std::collections::HashSet;

/// A new person linked to a user. Upstream: homeassistant/components/person/__init__.py, in the order of its keys.
///
/// # Errors
/// The file of persons is of another version, or the store fails.
pub fn new(reader: &dyn Reader, home: &Home, user: &str, shown: &str) -> Result<Change> {
    home.layout.needs(&["person"])?;
    let mut taken = HashSet::new();
    if home.layout.people && reader.columns("", PEOPLE)?.is_none() {
        return Err(Error::new(Kind::UnknownSchema, "`.storage/person` has no `/data/items`"));
    }
    if home.layout.people {
        reader.each_row(Select::from(PEOPLE, ["/id"]), |row| {
            taken.extend(row[0].to_text());
            Ok(())
        })?;
    }
    let slug = slug(shown);
    let numbered = (2..).map(|n| format!("{slug}_{n}"));
    let id = std::iter::once(slug.clone()).chain(numbered).find(|id| !taken.contains(id)).unwrap_or_default();
    let record = Record::new()
        .with("/id", id)
        .with("/name", shown)
        .with("/user_id", user)
        .with("/device_trackers", Value::List(vec![]));
    Ok(insert(PEOPLE, record))
}

/// Takes the user away from every person that is linked to it, as the app does when it removes a user.
///
/// # Errors
/// The store fails.
pub fn unlink(reader: &dyn Reader, home: &Home, user: &str) -> Result<Vec<Change>> {
    if !home.layout.people || reader.columns("", PEOPLE)?.is_none() {
        return Ok(vec![]);
    }
    let linked = reader.all(Select::from(PEOPLE, ["/id"]).filter(Filter::eq("/user_id", user)))?;
    let changes = linked.into_iter().filter_map(|person| {
        let key = Record::new().with("/id", person.get("/id").cloned().unwrap_or_default());
        update(PEOPLE, key, [("/user_id", user.into(), Value::Null)])
    });
    Ok(changes.collect())
}

/// What to say where persons could not be looked at.
pub fn unread(home: &Home) -> Option<String> {
    let broken = home.layout.broken.iter().any(|(document, _)| *document == "person");
    broken.then(|| "`.storage/person` cannot be read, so persons stay linked as they are".to_owned())
}

/// An id made of a name, as the app makes them of names in plain letters.
fn slug(name: &str) -> String {
    let mut slug = String::new();
    for c in name.to_lowercase().chars() {
        match c {
            'ä' | 'á' | 'à' | 'â' | 'å' | 'ã' => slug.push('a'),
            'ö' | 'ó' | 'ò' | 'ô' | 'õ' | 'ø' => slug.push('o'),
            'ü' | 'ú' | 'ù' | 'û' => slug.push('u'),
            'é' | 'è' | 'ê' | 'ë' => slug.push('e'),
            'í' | 'ì' | 'î' | 'ï' => slug.push('i'),
            'ç' => slug.push('c'),
            'ñ' => slug.push('n'),
            'ß' => slug.push_str("ss"),
            c if c.is_ascii_alphanumeric() => slug.push(c),
            _ if slug.ends_with('_') || slug.is_empty() => {}
            _ => slug.push('_'),
        }
    }
    let slug = slug.trim_end_matches('_');
    if slug.is_empty() { "unknown".to_owned() } else { slug.to_owned() }
}

#[cfg(test)]
mod tests {
    use super::slug;

    #[test]
    fn ids_are_made_of_plain_letters() {
        for (name, id) in [("Olivia Owner", "olivia_owner"), ("Jürgen  Groß!", "jurgen_gross"), ("東京", "unknown")]
        {
            assert_eq!(slug(name), id, "{name}");
        }
    }
}
