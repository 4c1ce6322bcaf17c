//! Plugins and hosts of different releases of the contract: patch releases fit either way, series do not.
//!
//! The other releases are made here: copies of plugin-api with another version and more, or other, in the contract, each
//! in a small workspace of its own that shares what cargo has already built of the dependencies.

use crate::support::{Place, library_name, set_mode, sources};
use latchlift_tests::crypt;
use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::OnceLock;

#[test]
fn a_plugin_of_a_newer_patch_release_works_in_this_host() {
    works(&guestbook(&releases().newer));
}

#[test]
fn a_plugin_of_this_release_works_in_a_host_of_a_newer_patch_release() {
    let newer = &releases().newer;
    works(&Place::with(&["guestbook"]).program(&newer.join("latchlift")));
    works(&guestbook(newer).program(&newer.join("latchlift")));
}

#[test]
fn a_plugin_of_another_series_is_refused_in_one_line() {
    let place = guestbook(&releases().other_series);
    let before = place.dump();
    let said = place.reset("guestbook").refused().says("speaks contract 0.2; this latchlift needs 0.1");
    said.says("install the plugin package of the same version: latchlift-plugin-guestbook 0.1.*");
    place.latchlift("plugin list").succeeds().says("speaks contract 0.2");
    assert_eq!(place.dump(), before);
}

#[test]
fn a_plugin_that_does_not_keep_the_contract_of_its_version_is_refused_in_one_line() {
    let place = guestbook(&releases().broken);
    let said = place.on("guestbook", "user list").refused().says("claims a contract that it does not keep");
    assert_eq!(said.stderr.lines().filter(|line| line.starts_with("error:")).count(), 1, "{said}");
}

fn works(place: &Place) {
    let before = place.dump();
    assert_eq!(place.on("guestbook", "user list --json").succeeds().each("accounts", "name"), ["ann", "bob"]);
    place.reset("guestbook").succeeds();
    assert!(crypt::verify(crate::support::NEW, &place.hash("ann")).unwrap());
    place.bare("undo --yes").succeeds();
    assert_eq!(place.dump(), before);
}

/// A guestbook whose plugin is of another release.
fn guestbook(release: &Path) -> Place {
    let (place, name) = (Place::new(), library_name("guestbook"));
    fs::copy(release.join(&name), place.library("guestbook")).unwrap();
    set_mode(&place.library("guestbook"), 0o755);
    place
}

/// Where the products of the other releases are.
struct Releases {
    newer: PathBuf,
    other_series: PathBuf,
    broken: PathBuf,
}

fn releases() -> &'static Releases {
    static RELEASES: OnceLock<Releases> = OnceLock::new();
    RELEASES.get_or_init(|| {
        let root = Path::new(env!("CARGO_TARGET_TMPDIR")).join("releases");
        share_dependencies(&root);
        Releases {
            newer: build(&root, "newer", "0.1.1", MORE, &["guestbook", "host"]),
            other_series: build(&root, "other-series", "0.2.0", &[], &["guestbook"]),
            broken: build(&root, "broken", "0.1.1", OTHER, &["guestbook"]),
        }
    })
}

/// What a newer release adds: a field of the root module, a method of the plugin and one of the host, each with a
/// default for the older side, and a field of a message.
const MORE: &[(&str, &str)] = &[
    (
        "    pub create: extern \"C\" fn() -> PluginObject,\n",
        "    pub create: extern \"C\" fn() -> PluginObject,\n    #[sabi(missing_field(with = no_answer))]\n    \
         pub answer: extern \"C\" fn() -> u32,\n",
    ),
    (
        "impl RootModule for",
        "fn no_answer() -> extern \"C\" fn() -> u32 {\n    answer_42\n}\n\npub extern \"C\" fn answer_42() -> u32 {\n    42\n}\n\nimpl RootModule for",
    ),
    (
        "                        create,\n",
        "                        create,\n                        answer: $crate::abi::answer_42,\n",
    ),
    (
        "    fn call(&self, host: &HostAbi_TO<'_, RBox<()>>, method: RStr<'_>, body: RSlice<'_, u8>) -> Answer;\n",
        "    fn call(&self, host: &HostAbi_TO<'_, RBox<()>>, method: RStr<'_>, body: RSlice<'_, u8>) -> Answer;\n    \
         fn added(&self) -> u32 {\n        7\n    }\n",
    ),
    (
        "    fn call(&self, method: RStr<'_>, body: RSlice<'_, u8>) -> Answer;\n",
        "    fn call(&self, method: RStr<'_>, body: RSlice<'_, u8>) -> Answer;\n    fn added(&self) -> u32 {\n        8\n    }\n",
    ),
    ("    pub version: String,\n}", "    pub version: String,\n    /// New.\n    pub motto: String,\n}"),
    (
        "            version: version.to_owned(),\n",
        "            version: version.to_owned(),\n            motto: \"more\".to_owned(),\n",
    ),
];

/// What no patch release may do: another name for the one field there is.
const OTHER: &[(&str, &str)] = &[
    ("    pub create: extern \"C\" fn() -> PluginObject,\n", "    pub make: extern \"C\" fn() -> PluginObject,\n"),
    ("                        create,\n", "                        make: create,\n"),
];

/// Builds packages on a plugin-api of this version with these edits of `abi.rs`; gives the directory of the products.
fn build(root: &Path, name: &str, version: &str, edits: &[(&str, &str)], packages: &[&str]) -> PathBuf {
    let (workspace, out) = (root.join(name), root.join(name).join("out"));
    let source = latchlift_tests::workspace();
    mirror(&source.join("plugin-api"), &workspace.join("plugin-api"), &|path, text| match path {
        "Cargo.toml" => replaced(&text, "version.workspace = true", &format!("version = \"{version}\"")),
        "src/abi.rs" => edits.iter().fold(text, |text, (old, new)| replaced(&text, old, new)),
        _ => text,
    });
    mirror(&sources("guestbook"), &workspace.join("guestbook"), &|_, text| text);
    if packages.contains(&"host") {
        mirror(&source.join("host"), &workspace.join("host"), &|_, text| text);
    }
    let manifest = fs::read_to_string(source.join("Cargo.toml")).unwrap();
    write(&workspace.join("Cargo.toml"), &manifest_for(&manifest, version, packages));
    if !workspace.join("Cargo.lock").exists() {
        fs::copy(source.join("Cargo.lock"), workspace.join("Cargo.lock")).unwrap();
    }
    fs::create_dir_all(&out).unwrap();
    set_mode(&out, 0o755);
    let target = root.join("target");
    let mut cargo = Command::new(env!("CARGO"));
    cargo.args(["build", "--offline", "--workspace"]).current_dir(&workspace).env("CARGO_TARGET_DIR", &target);
    let built = cargo.output().unwrap();
    assert!(built.status.success(), "{name} does not build:\n{}", String::from_utf8_lossy(&built.stderr));
    keep(&target.join("debug").join(library_name("guestbook")), &out);
    if packages.contains(&"host") {
        keep(&target.join("debug/latchlift"), &out);
    }
    out
}

/// The workspace's manifest with other members.
fn manifest_for(manifest: &str, version: &str, packages: &[&str]) -> String {
    let members: Vec<String> = packages.iter().chain([&"plugin-api"]).map(|name| format!("\"{name}\"")).collect();
    let lines = manifest.lines().map(|line| match line {
        line if line.starts_with("members = ") => format!("members = [{}]", members.join(", ")),
        line if line.starts_with("latchlift-plugin-api = ") => {
            format!("latchlift-plugin-api = {{ path = \"plugin-api\", version = \"{version}\" }}")
        }
        line => line.to_owned(),
    });
    lines.map(|line| line + "\n").collect()
}

#[track_caller]
fn replaced(text: &str, old: &str, new: &str) -> String {
    assert_eq!(text.matches(old).count(), 1, "plugin-api has changed; {old:?} is not in it once");
    text.replace(old, new)
}

/// Makes `to` a copy of the package `from`. Files that are right stay, so that cargo does not build them again.
fn mirror(from: &Path, to: &Path, edit: &dyn Fn(&str, String) -> String) {
    let (wanted, present) = (files(from), files(to));
    for gone in present.difference(&wanted) {
        fs::remove_file(to.join(gone)).unwrap();
    }
    for name in &wanted {
        let text = fs::read_to_string(from.join(name)).unwrap();
        write(&to.join(name), &edit(name, text));
    }
}

/// The files below a directory, by their path within it.
fn files(directory: &Path) -> BTreeSet<String> {
    let mut found = BTreeSet::new();
    let mut todo = vec![directory.to_owned()];
    while let Some(folder) = todo.pop() {
        for entry in fs::read_dir(folder).into_iter().flatten().flatten() {
            let path = entry.path();
            match path.is_dir() {
                true => todo.push(path),
                false => drop(found.insert(path.strip_prefix(directory).unwrap().display().to_string())),
            }
        }
    }
    found
}

fn write(path: &Path, text: &str) {
    if fs::read_to_string(path).is_ok_and(|present| present == text) {
        return;
    }
    fs::create_dir_all(path.parent().unwrap()).unwrap();
    fs::write(path, text).unwrap();
}

fn keep(product: &Path, out: &Path) {
    let to = out.join(product.file_name().unwrap());
    let _ = fs::remove_file(&to);
    fs::copy(product, &to).unwrap();
    set_mode(&to, 0o755);
}

/// Lets the other workspaces use what cargo has built of the dependencies, which do not differ. It is only faster.
fn share_dependencies(root: &Path) {
    let Some(from) = Path::new(env!("CARGO_TARGET_TMPDIR")).parent().map(|target| target.join("debug")) else { return };
    let to = root.join("target/debug");
    if to.exists() || fs::create_dir_all(to.join("deps")).is_err() {
        return;
    }
    for entry in fs::read_dir(from.join("deps")).into_iter().flatten().flatten() {
        let name = entry.file_name().to_string_lossy().into_owned();
        let library = [".rlib", ".rmeta", ".so"].iter().any(|ending| name.ends_with(ending));
        if library && !name.starts_with("liblatchlift") {
            let _ = fs::hard_link(entry.path(), to.join("deps").join(name));
        }
    }
    let _ = Command::new("cp").arg("-a").args([from.join(".fingerprint"), from.join("build")]).arg(&to).status();
}
