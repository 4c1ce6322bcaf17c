//! `plugin`: what is installed, what it can do, and whether a file would be loaded.

use super::Exit;
use crate::cli::{Format, PluginVerb};
use crate::context::Run;
use crate::error::Result;
use crate::plugin::Listed;
use crate::ui;
use latchlift_plugin_api::{Facts, Level};
use serde_json::{Value, json};

/// `plugin ...`
///
/// # Errors
/// There is no such plugin, or it is refused.
pub fn run(run: &Run, verb: Option<PluginVerb>) -> Result<Exit> {
    match verb.unwrap_or(PluginVerb::List) {
        PluginVerb::List => list(run),
        PluginVerb::Show { plugin } => show(run, &plugin),
        PluginVerb::Check { file } => check(run, &file),
        PluginVerb::Abi => Ok(abi(run.ui.format)),
    }
}

/// `plugin abi`
pub fn abi(format: Format) -> Exit {
    let series = crate::plugin::abi().series;
    match format {
        Format::Json => ui::answer(&json!({ "latchlift": 1, "ok": true, "abi": series }).to_string()),
        _ => ui::answer(&series),
    }
    0
}

const HEADINGS: [&str; 6] = ["PLUGIN", "APP", "VERSIONS", "STORES", "FILE", "STATE"];

fn list(run: &Run) -> Result<Exit> {
    let listed = run.registry.list();
    if run.ui.json() {
        let plugins: Vec<Value> = listed.iter().map(to_json).collect();
        ui::answer(&json!({ "latchlift": 1, "ok": true, "plugins": plugins, "errors": [] }).to_string());
        return Ok(0);
    }
    if listed.is_empty() {
        run.ui.say("no plugins are installed; looked in:");
        run.registry.dirs().iter().for_each(|dir| run.ui.say(format!("  {}", dir.path.display())));
        return Ok(0);
    }
    let rows: Vec<_> = listed.into_iter().map(|listed| ("".into(), Row(listed))).collect();
    let list = crate::output::List {
        name: "plugins",
        rows: &rows,
        errors: &[],
        headings: &HEADINGS,
        cells: |_, row: &Row| cells(&row.0),
    };
    list.print(run.ui.format);
    Ok(0)
}

/// A listed plugin as a row; JSON has its own form.
struct Row(Listed);

impl serde::Serialize for Row {
    fn serialize<S: serde::Serializer>(&self, to: S) -> std::result::Result<S::Ok, S::Error> {
        to_json(&self.0).serialize(to)
    }
}

fn cells(listed: &Listed) -> Vec<String> {
    let file = listed.path.display().to_string();
    let state = match (&listed.facts, &listed.hidden_by) {
        (Err(error), _) => format!("refused: {error}"),
        (Ok(_), Some(by)) => format!("hidden by {}", by.display()),
        (Ok(_), None) => "ok".to_owned(),
    };
    let (title, versions, stores) = match &listed.facts {
        Ok(facts) => (facts.title.clone(), facts.versions.clone(), stores(facts).join(", ")),
        Err(_) => Default::default(),
    };
    vec![listed.app.clone(), title, versions, stores, file, state]
}

fn stores(facts: &Facts) -> Vec<String> {
    let word = |kind| serde_json::to_value(kind).ok().and_then(|word| word.as_str().map(str::to_owned));
    facts.stores.iter().filter_map(word).collect()
}

fn to_json(listed: &Listed) -> Value {
    let mut out = json!({
        "app": listed.app, "file": listed.path, "version": listed.version, "hidden_by": listed.hidden_by,
    });
    match &listed.facts {
        Ok(facts) => {
            out["title"] = json!(facts.title);
            out["versions"] = json!(facts.versions);
            out["stores"] = json!(facts.stores);
        }
        Err(error) => out["error"] = ui::error_json(error),
    }
    out
}

fn show(run: &Run, plugin: &str) -> Result<Exit> {
    let facts = run.registry.facts(plugin)?;
    if run.ui.json() {
        ui::answer(&json!({ "latchlift": 1, "ok": true, "plugin": facts }).to_string());
        return Ok(0);
    }
    let mut lines = vec![format!("{} ({}), {}", facts.title, facts.app, facts.versions), String::new()];
    let level = |level| match level {
        Level::Full => "yes",
        Level::Partial => "partly",
        Level::None => "no",
    };
    for (verb, support) in &facts.verbs {
        let reason = support.reason.as_deref().unwrap_or_default();
        lines.push(
            format!("{:<20} {:<7} {reason}", verb.replace('.', " "), level(support.support)).trim_end().to_owned(),
        );
    }
    if !facts.keys.is_empty() {
        lines.push(String::new());
    }
    for key in &facts.keys {
        lines.push(format!("{}=  {} ({}; {})", key.name, key.help, key.kind, key.verbs.join(", ").replace('.', " ")));
    }
    ui::answer(&lines.join("\n"));
    Ok(0)
}

fn check(run: &Run, file: &std::path::Path) -> Result<Exit> {
    let loaded = run.registry.check(file)?;
    if run.ui.json() {
        let plugin = json!({ "app": loaded.facts.app, "version": loaded.version, "file": loaded.path });
        ui::answer(&json!({ "latchlift": 1, "ok": true, "plugins": [plugin] }).to_string());
        return Ok(0);
    }
    let place = loaded.path.display();
    ui::answer(&format!("{place} would be loaded: {} {}", loaded.facts.app, loaded.version));
    Ok(0)
}
