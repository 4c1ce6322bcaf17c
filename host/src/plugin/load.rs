//! Loading a library and calling through the narrow waist. All of the host's `unsafe` is here.
//!
//! Libraries are never unloaded: their types, strings and vtables are in use until the process ends. abi_stable's own
//! loaders are not used, because they answer the first library of a kind for every later path; nor is the descriptor's
//! path in `/proc`, because the C library remembers libraries by name and would answer an earlier one.

use super::services::Services;
use super::trust::Opened;
use super::{app_of, refused};
use crate::error::{Error, Result};
use abi_stable::StableAbi;
use abi_stable::abi_stability::abi_checking::check_layout_compatibility;
use abi_stable::library::{AbiHeaderRef, LibHeader, ROOT_MODULE_LOADER_NAME_WITH_NUL, RootModule};
use abi_stable::sabi_trait::TD_Opaque;
use abi_stable::sabi_types::VersionStrings;
use abi_stable::std_types::{RSlice, RStr};
use abi_stable::type_layout::TypeLayout;
use latchlift_plugin_api::abi::{Answer, HostAbi, HostAbi_TO, PluginModRef, PluginObject, answer, encode, understand};
use latchlift_plugin_api::{self as api};
use libloading::os::unix::{Library, RTLD_LOCAL, RTLD_NOW};
use serde::{Serialize, de::DeserializeOwned};
use std::cell::Cell;
use std::ffi::c_int;
use std::io::Write;
use std::os::unix::fs::MetadataExt;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::Path;
use std::sync::Once;

/// A loaded plugin, ready to be called.
pub(super) struct Remote {
    object: PluginObject,
    /// The file, as text; leaked like the library itself, so that the exit guard can name it at any time.
    name: &'static str,
}

/// A version of plugin-api.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Version {
    major: u32,
    minor: u32,
    patch: u32,
}

impl Version {
    fn parse(strings: VersionStrings) -> Option<Version> {
        let number = strings.parsed().ok()?;
        Some(Version { major: number.major, minor: number.minor, patch: number.patch })
    }

    /// What a plugin and a host must have in common, for people: `0.1`.
    pub(super) fn series(self) -> String {
        format!("{}.{}", self.major, self.minor)
    }

    /// Before 1.0 every minor version is a series of its own.
    fn fits(self, other: Version) -> bool {
        self.major == other.major && (self.major > 0 || self.minor == other.minor)
    }
}

/// The version of plugin-api this host was built with.
pub(super) fn api_version() -> Version {
    Version::parse(PluginModRef::VERSION_STRINGS).expect("cargo refuses a package whose version is not three numbers")
}

/// Loads a library that was trusted and is whole.
///
/// # Errors
/// It cannot be loaded, is no plugin, or speaks another contract.
pub(super) fn load(opened: &Opened) -> Result<Remote> {
    let path = &opened.path;
    let header = header(opened)?;
    check_version(path, Version::parse(header.version_strings()), api_version())?;
    check_layout(path, header)?;
    // SAFETY: the layout was checked just above.
    let root = unsafe { header.unchecked_layout::<PluginModRef>() };
    let root = root.map_err(|_| refused(path, "failed to start"))?;
    guard_exit();
    let name = Box::leak(path.display().to_string().into_boxed_str());
    let create = root.create();
    Ok(Remote { object: inside(name, || create()), name })
}

/// Opens the library and finds its header.
fn header(opened: &Opened) -> Result<&'static LibHeader> {
    let path = &opened.path;
    let flags = RTLD_NOW | RTLD_LOCAL;
    // SAFETY: this runs the library's initialisers. Its writers could replace this program too, and it is whole.
    let library = unsafe { Library::open(Some(path), flags) }.map_err(|why| cannot_load(path, &why.to_string()))?;
    // SAFETY: a plugin exports a `LibHeader`, which begins with an `AbiHeader`, under this name and nothing else does.
    let symbol = unsafe { library.get::<AbiHeaderRef>(ROOT_MODULE_LOADER_NAME_WITH_NUL.as_bytes()) };
    let header = symbol.map(|symbol| *symbol);
    std::mem::forget(library);
    let header = header.map_err(|_| {
        refused(path, "is a library, but not a latchlift plugin").help("see the plugins with `latchlift plugin list`")
    })?;
    same_file(opened)?;
    header.upgrade().map_err(|_| {
        let why =
            format!("uses abi_stable {}.{}, which this latchlift cannot talk to", header.abi_major, header.abi_minor);
        refused(path, why).help(matching_package(path))
    })
}

/// The loader opens by name; this is the file that was checked, unless its owner replaced it in between.
fn same_file(opened: &Opened) -> Result<()> {
    let now = std::fs::metadata(&opened.path);
    let same = |now: &std::fs::Metadata| now.dev() == opened.metadata.dev() && now.ino() == opened.metadata.ino();
    match now.is_ok_and(|now| same(&now)) {
        true => Ok(()),
        false => Err(refused(&opened.path, "was replaced while it was loaded").help("run the command again")),
    }
}

fn cannot_load(path: &Path, why: &str) -> Error {
    let own = format!("{}: ", path.display());
    let why = why.strip_prefix(&own).unwrap_or(why).lines().next().unwrap_or_default();
    refused(path, format!("cannot be loaded: {why}")).help("install the plugin package made for this system")
}

fn check_version(path: &Path, plugin: Option<Version>, host: Version) -> Result<()> {
    let says = match plugin {
        Some(version) if version.fits(host) => return Ok(()),
        Some(version) => version.series(),
        None => "of no known version".to_owned(),
    };
    let why = format!("speaks contract {says}; this latchlift needs {}", host.series());
    Err(refused(path, why).help(matching_package(path)))
}

/// The newer side knows what the older one has and may have more, so the older one's layout is the measure. abi_stable
/// alone would refuse an older plugin in a newer host, and its reports fill a hundred screens.
fn check_layout(path: &Path, header: &'static LibHeader) -> Result<()> {
    let host: &'static TypeLayout = <PluginModRef as StableAbi>::LAYOUT;
    let other = || refused(path, "claims a contract that it does not keep").help(matching_package(path));
    let plugin = header.layout().ok_or_else(other)?;
    let newer = Version::parse(header.version_strings()) >= Some(api_version());
    let (interface, implementation) = if newer { (host, plugin) } else { (plugin, host) };
    check_layout_compatibility(interface, implementation).map_err(|_| other())
}

fn matching_package(path: &Path) -> String {
    let app = app_of(path).map_or(String::new(), |app| format!(": latchlift-plugin-{app}"));
    format!("install the plugin package of the same version{app} {}.*", api_version().series())
}

impl Remote {
    /// Calls the plugin.
    ///
    /// # Errors
    /// What the plugin answers, or that its answer cannot be understood.
    pub(super) fn call<Q: Serialize, A: DeserializeOwned>(
        &self,
        services: &Services<'_>,
        method: &str,
        body: &Q,
    ) -> api::Result<A> {
        let body = encode(body)?;
        let host = HostAbi_TO::from_value(Bridge(services), TD_Opaque);
        understand(inside(self.name, || self.object.call(&host, RStr::from_str(method), RSlice::from_slice(&body))))
    }

    /// A plugin within this program, for tests of everything but loading.
    #[cfg(test)]
    pub(super) fn of(object: PluginObject) -> Remote {
        Remote { object, name: "test" }
    }
}

/// The host's services on the other side of the waist.
struct Bridge<'b, 'a>(&'b Services<'a>);

impl HostAbi for Bridge<'_, '_> {
    /// A panic must not cross into the plugin, whose guard would end the process.
    fn call(&self, method: RStr<'_>, body: RSlice<'_, u8>) -> Answer {
        let run = || self.0.call(method.as_str(), body.as_slice());
        outside(|| catch_unwind(AssertUnwindSafe(run))).unwrap_or_else(|_| {
            let why = format!("latchlift failed while it answered the plugin's `{method}`");
            answer::<()>(Err(api::Error::new(api::Kind::Failed, why)))
        })
    }
}

thread_local! {
    /// The plugin whose code this thread is running.
    static RUNNING: Cell<Option<&'static str>> = const { Cell::new(None) };
}

/// Runs a plugin's code.
fn inside<T>(name: &'static str, run: impl FnOnce() -> T) -> T {
    with_running(Some(name), run)
}

/// Runs the host's code during a plugin's call: if it ends the process, that is its right.
fn outside<T>(run: impl FnOnce() -> T) -> T {
    with_running(None, run)
}

fn with_running<T>(name: Option<&'static str>, run: impl FnOnce() -> T) -> T {
    let before = RUNNING.replace(name);
    let result = run();
    RUNNING.set(before);
    result
}

unsafe extern "C" {
    fn atexit(callback: extern "C" fn()) -> c_int;
    fn _exit(code: c_int) -> !;
}

/// Sees to it that a plugin that ends the process does not choose the exit code: a script would take 0 for "done".
fn guard_exit() {
    static ONCE: Once = Once::new();
    ONCE.call_once(|| {
        // SAFETY: the callback stays as long as the process and does not unwind. If it cannot be registered, a rude
        // plugin keeps its own exit code.
        let _ = unsafe { atexit(exiting) };
    });
}

extern "C" fn exiting() {
    if let Some(name) = RUNNING.take() {
        let code = crate::error::Kind::Plugin.exit();
        let _ = writeln!(std::io::stderr(), "error: plugin {name} ended the process in the middle of a call");
        // SAFETY: ends the process without running what is left of its exit handlers.
        unsafe { _exit(code.into()) }
    }
}

#[cfg(test)]
mod tests;
