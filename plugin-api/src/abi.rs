//! The narrow waist: all of `abi_stable` that latchlift uses.
//!
//! One root module, one trait for the plugin, one for the host's services. Both are a single call that takes and gives
//! bytes; what the bytes mean is serde structs in MessagePack with named fields. Unknown fields are ignored, missing ones
//! take their defaults, and an unknown method is an error, so that an older plugin works in a newer host and the reverse.

// The derives below expand to impls inside functions, which newer compilers remark on.
#![allow(non_local_definitions, missing_docs)]

use crate::account::Batch;
use crate::error::{Error, Kind, Result};
use crate::locate::{Files, Located};
use crate::password::{Derived, Handle, Kdf, Secrets};
use crate::plan::Plan;
use crate::plugin::{Context, Output, Plugin, Probe};
use crate::reader::{Column, Count, File, Filter, Page, Reader, Select, StoreKind};
use crate::request::{Request, Settings};
use crate::value::Value;
pub use abi_stable;
use abi_stable::StableAbi;
use abi_stable::library::RootModule;
use abi_stable::package_version_strings;
use abi_stable::sabi_trait;
use abi_stable::sabi_types::VersionStrings;
use abi_stable::std_types::{RBox, RResult, RSlice, RStr, RVec};
use serde::{Deserialize, Serialize, de::DeserializeOwned};

/// The version of the messages. A host takes plugins of the range it knows.
pub const PROTOCOL: u32 = 1;

/// An answer in bytes, or an [`Error`] in bytes.
pub type Answer = RResult<RVec<u8>, RVec<u8>>;

/// The host's services during one call.
#[sabi_trait]
pub trait HostAbi {
    /// Calls the service `method`.
    #[sabi(last_prefix_field)]
    fn call(&self, method: RStr<'_>, body: RSlice<'_, u8>) -> Answer;
}

/// The host's services as a plugin is given them.
pub type Host<'a> = HostAbi_TO<'a, RBox<()>>;

/// A plugin.
#[sabi_trait]
pub trait PluginAbi: Send + Sync {
    /// Calls the plugin's `method`.
    #[sabi(last_prefix_field)]
    fn call(&self, host: &HostAbi_TO<'_, RBox<()>>, method: RStr<'_>, body: RSlice<'_, u8>) -> Answer;
}

/// A plugin as the host holds it.
pub type PluginObject = PluginAbi_TO<'static, RBox<()>>;

/// What a plugin library exports.
#[repr(C)]
#[derive(StableAbi)]
#[sabi(kind(Prefix(prefix_ref = PluginModRef)))]
#[sabi(missing_field(panic))]
pub struct PluginMod {
    /// Makes the plugin.
    #[sabi(last_prefix_field)]
    pub create: extern "C" fn() -> PluginObject,
}

impl RootModule for PluginModRef {
    abi_stable::declare_root_module_statics! {PluginModRef}
    const BASE_NAME: &'static str = "latchlift";
    const NAME: &'static str = "latchlift";
    const VERSION_STRINGS: VersionStrings = package_version_strings!();
}

/// The first thing a plugin says.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct Hello {
    /// The lowest version of the messages it understands.
    pub protocol_min: u32,
    /// The highest.
    pub protocol_max: u32,
    /// The embedded `plugin.toml`.
    pub facts: String,
    /// The plugin's own version.
    pub version: String,
}

/// Encodes a message.
///
/// # Errors
/// It cannot be encoded, which is a bug in the sender.
pub fn encode<T: Serialize>(message: &T) -> Result<Vec<u8>> {
    rmp_serde::to_vec_named(message)
        .map_err(|why| Error::new(Kind::Contract, format!("a message cannot be encoded: {why}")))
}

/// Decodes a message.
///
/// # Errors
/// It is not what was expected: a kind of change or value this side does not know, or a bug in the sender.
pub fn decode<T: DeserializeOwned>(bytes: &[u8]) -> Result<T> {
    rmp_serde::from_slice(bytes)
        .map_err(|why| Error::new(Kind::Contract, format!("a message cannot be understood: {why}")))
}

/// Encodes an answer.
pub fn answer<T: Serialize>(result: Result<T>) -> Answer {
    match result.and_then(|value| encode(&value)) {
        Ok(bytes) => RResult::ROk(bytes.into()),
        // An error is made of text and lists, which always encode; an empty body would decode to a contract error.
        Err(error) => RResult::RErr(encode(&error).unwrap_or_default().into()),
    }
}

/// Decodes an answer.
///
/// # Errors
/// The error the other side answered, or as [`decode`].
pub fn understand<T: DeserializeOwned>(answer: Answer) -> Result<T> {
    match answer {
        RResult::ROk(bytes) => decode(&bytes),
        RResult::RErr(bytes) => Err(decode::<Error>(&bytes).unwrap_or_else(|unreadable| unreadable)),
    }
}

/// The host's services, as the safe traits a plugin uses.
pub struct RemoteHost<'a>(pub &'a Host<'a>);

impl RemoteHost<'_> {
    fn call<T: DeserializeOwned>(&self, method: &str, body: &impl Serialize) -> Result<T> {
        let body = encode(body)?;
        understand(self.0.call(RStr::from_str(method), RSlice::from_slice(&body)))
    }

    /// As `call`, for an answer that is read where it lies.
    fn call_for_bytes(
        &self,
        method: &str,
        body: &impl Serialize,
        take: &mut dyn FnMut(&[u8]) -> Result<()>,
    ) -> Result<()> {
        let body = encode(body)?;
        match self.0.call(RStr::from_str(method), RSlice::from_slice(&body)) {
            RResult::ROk(bytes) => take(&bytes),
            error => understand(error),
        }
    }
}

impl Reader for RemoteHost<'_> {
    fn kind(&self, store: &str) -> Result<StoreKind> {
        self.call("kind", &store)
    }

    fn select(&self, query: &Select) -> Result<Page> {
        self.call("select", query)
    }

    fn count_by(&self, store: &str, collection: &str, field: &str, filter: &Filter) -> Result<Vec<(Value, u64)>> {
        self.call("count_by", &(store, collection, field, filter))
    }

    fn columns(&self, store: &str, collection: &str) -> Result<Option<Vec<Column>>> {
        self.call("columns", &(store, collection))
    }

    fn document(&self, store: &str, name: &str) -> Result<Option<String>> {
        self.call("document", &(store, name))
    }

    fn files(&self, store: &str, glob: &str) -> Result<Vec<File>> {
        self.call("files", &(store, glob))
    }

    fn lines(&self, store: &str, file: &str, text: &str) -> Result<Vec<String>> {
        self.call("lines", &(store, file, text))
    }

    fn digest(&self, store: &str, name: &str) -> Result<Option<String>> {
        self.call("digest", &(store, name))
    }

    fn page_bytes(&self, query: &Select, take: &mut dyn FnMut(&[u8]) -> Result<()>) -> Result<()> {
        self.call_for_bytes("select", query, take)
    }

    fn count_bytes(&self, count: &Count<'_>, take: &mut dyn FnMut(&[u8]) -> Result<()>) -> Result<()> {
        self.call_for_bytes("count_by", &(count.store, count.collection, count.field, count.filter), take)
    }
}

impl Secrets for RemoteHost<'_> {
    fn derive(&self, password: Handle, kdf: &Kdf) -> Result<Derived> {
        self.call("derive", &(password, kdf))
    }

    fn verify(&self, password: Handle, kdf: &Kdf, salt: &[u8], digest: &[u8]) -> Result<bool> {
        let digest = Derived { salt: salt.to_vec(), digest: digest.to_vec() };
        self.call("verify", &(password, kdf, digest))
    }
}

impl Output for RemoteHost<'_> {
    fn emit(&mut self, batch: Batch) -> Result<()> {
        self.call("emit", &batch)
    }
}

impl Files for RemoteHost<'_> {
    fn text(&self, path: &str) -> Result<Option<String>> {
        self.call("text", &path)
    }
}

/// Runs one call of a plugin. Used by [`export_plugin!`](crate::export_plugin).
///
/// A panic becomes an error; its payload is forgotten rather than dropped, because dropping it may panic again.
pub fn dispatch<P: Plugin>(
    plugin: &P,
    version: &str,
    host: &Host<'_>,
    method: RStr<'_>,
    body: RSlice<'_, u8>,
) -> Answer {
    let run = || serve(plugin, version, host, method.as_str(), body.as_slice());
    match std::panic::catch_unwind(std::panic::AssertUnwindSafe(run)) {
        Ok(answer) => answer,
        Err(payload) => {
            let said = payload.downcast_ref::<String>().map(String::as_str);
            let said = said.or(payload.downcast_ref::<&str>().copied()).unwrap_or("no message").to_owned();
            std::mem::forget(payload);
            answer::<()>(Err(Error::new(Kind::Contract, format!("the plugin panicked: {said}"))))
        }
    }
}

fn serve<P: Plugin>(plugin: &P, version: &str, host: &Host<'_>, method: &str, body: &[u8]) -> Answer {
    let remote = RemoteHost(host);
    let context = Context { reader: &remote, secrets: &remote };
    match method {
        "hello" => answer(Ok(Hello {
            protocol_min: 1,
            protocol_max: PROTOCOL,
            facts: P::FACTS.to_owned(),
            version: version.to_owned(),
        })),
        "locate" => {
            answer::<Vec<Located>>(decode::<Settings>(body).and_then(|settings| plugin.locate(&settings, &remote)))
        }
        "probe" => answer::<Probe>(plugin.probe(&remote)),
        "read" => {
            answer(decode::<Request>(body).and_then(|request| plugin.read(&context, &request, &mut RemoteHost(host))))
        }
        "plan" => answer::<Plan>(decode::<Request>(body).and_then(|request| plugin.plan(&context, &request))),
        _ => answer::<()>(Err(Error::unsupported(format!("this plugin does not know the method `{method}`")))),
    }
}

/// Keeps a plugin's panics from being printed; the host reports them.
pub fn quiet_panics() {
    std::panic::set_hook(Box::new(|_| {}));
}

/// Exports a [`Plugin`] from a `cdylib`.
///
/// ```ignore
/// latchlift_plugin_api::export_plugin!(Homarr);
/// ```
#[macro_export]
macro_rules! export_plugin {
    ($plugin:ty) => {
        const _: () = {
            use $crate::abi::abi_stable::std_types::{RBox, RSlice, RStr};

            // With `panic = "abort"` a panicking plugin would end the host in the middle of a plan.
            const _: () = assert!(cfg!(panic = "unwind"), "a latchlift plugin must be built with panic = \"unwind\"");

            struct Exported($plugin);

            impl $crate::abi::PluginAbi for Exported {
                fn call(
                    &self,
                    host: &$crate::abi::Host<'_>,
                    method: RStr<'_>,
                    body: RSlice<'_, u8>,
                ) -> $crate::abi::Answer {
                    $crate::abi::dispatch(&self.0, env!("CARGO_PKG_VERSION"), host, method, body)
                }
            }

            extern "C" fn create() -> $crate::abi::PluginObject {
                $crate::abi::quiet_panics();
                $crate::abi::PluginAbi_TO::from_value(
                    Exported(<$plugin>::default()),
                    $crate::abi::abi_stable::sabi_trait::TD_Opaque,
                )
            }

            extern "C" fn root_module() -> $crate::abi::abi_stable::library::RootModuleResult {
                $crate::abi::abi_stable::library::__call_root_module_loader(|| {
                    $crate::abi::abi_stable::prefix_type::PrefixTypeTrait::leak_into_prefix($crate::abi::PluginMod {
                        create,
                    })
                })
            }

            // The symbol abi_stable's loader looks for.
            #[unsafe(no_mangle)]
            #[allow(non_upper_case_globals)]
            pub static _1as_0lib_1header_0root_bmodule_bloader: $crate::abi::abi_stable::library::LibHeader =
                // SAFETY: `root_module` erases a `PluginModRef`, which is the type named here.
                unsafe {
                    $crate::abi::abi_stable::library::LibHeader::from_constructor::<$crate::abi::PluginModRef>(
                        root_module,
                        $crate::abi::abi_stable::library::CheckTypeLayout::Yes,
                    )
                };
        };
    };
}
