//! Roles: which there are, and which an edition knows. Upstream: internal/auth/acl.

use crate::schema::Layout;
use crate::user::User;
use latchlift_plugin_api::{Error, Kind, Result};

/// Whether the edition and release that ran last take the role of an account for one.
pub fn is_known(layout: &Layout, role: &str) -> bool {
    match role {
        "admin" => true,
        // Since 240420; before, the Community Edition had no role but the administrator's.
        "guest" => layout.two_factor() || !layout.community(),
        _ => !layout.community(),
    }
}

/// The role of an account that is no administrator.
pub fn ordinary(layout: &Layout) -> &'static str {
    if layout.community() { "guest" } else { "user" }
}

/// What to know about a super administrator with another role, which PhotoPrism's web page does not allow.
pub fn spared(user: &User) -> Option<String> {
    let odd = user.super_admin && !["admin", "cluster_admin"].contains(&user.role.as_str());
    odd.then(|| {
        format!(
            "{} is a super administrator and may do everything whatever its role; to change that, add superadmin=no",
            user.label()
        )
    })
}

/// A role that an account may be given.
///
/// # Errors
/// The edition or the release has no such role, or nobody signs in with it.
pub fn checked(layout: &Layout, typed: &str) -> Result<String> {
    let role = typed.trim().to_lowercase();
    let all = offered(layout).join(", ");
    let fault = match role.as_str() {
        "" => Some("an account without role is no account to PhotoPrism".to_owned()),
        "visitor" => Some("the role `visitor` is for share links; nobody signs in with it".to_owned()),
        known if offered(layout).contains(&known) => None,
        other => Some(match layout.community() {
            true => format!("PhotoPrism's Community Edition has no role `{other}`"),
            false => format!("the PhotoPrism that wrote this database has no role `{other}`"),
        }),
    };
    match fault {
        None => Ok(role),
        Some(fault) => Err(Error::new(Kind::Usage, fault).help(format!("role= takes one of: {all}"))),
    }
}

/// The roles to choose from.
fn offered(layout: &Layout) -> Vec<&'static str> {
    let mut roles = vec!["admin"];
    if layout.two_factor() {
        roles.push("guest");
    }
    if !layout.community() {
        // `uploader` became `contributor` in March 2023, with the first release that keeps a version.
        let contributor = if layout.version.is_some() { "contributor" } else { "uploader" };
        roles.extend(["user", "viewer", contributor]);
        if layout.version.is_some() {
            roles.push("manager");
        }
        if layout.has("user_scope") {
            roles.push("cluster_admin");
        }
    }
    roles
}
