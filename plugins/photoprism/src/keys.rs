//! What `key=value` arguments ask of an account's row, by PhotoPrism's rules. Upstream: internal/form/user.go and
//! internal/entity/auth_user.go `SetFormValues`, `Validate`.

use crate::find;
use crate::schema::{Layout, USERS};
use crate::user::{Provider, User};
use crate::{roles, values};
use latchlift_plugin_api::{Change, Error, Filter, Kind, Reader, Record, Request, Result, Time, Value, update};

/// The fewest characters of the id under which an OpenID Connect server knows an account.
const SUBJECT: usize = 4;

/// New values for fields of an account's row.
pub type Fields = Vec<(&'static str, Value)>;

/// What the request's keys ask for. `name` is the account's sign-in name, `role` the role it has.
///
/// # Errors
/// A value that PhotoPrism would not take, or that this layout has no column for.
pub fn wanted(reader: &dyn Reader, layout: &Layout, request: &Request, (name, role): (&str, &str)) -> Result<Fields> {
    let mut fields = Fields::new();
    refuse_contradiction(request)?;
    if let Some(given) = request.keys.get("admin") {
        fields.extend(administers(layout, given, role)?);
    }
    for (key, given) in request.keys.iter().filter(|(key, _)| *key != "admin") {
        // A role or `superadmin=` said beside `admin=` agrees with it, and is the more particular.
        let (field, value) = one(reader, layout, key, given, name)?;
        if !layout.has(field) {
            let message =
                format!("the PhotoPrism that wrote this database ({}) keeps no `{key}` of accounts", layout.describe());
            return Err(Error::unsupported(message));
        }
        fields.retain(|(name, _)| *name != field);
        fields.push((field, value));
    }
    // The issuer says whose id it is.
    if request.keys.get("auth-id").is_some_and(String::is_empty) && layout.has("auth_issuer") {
        fields.push(("auth_issuer", "".into()));
    }
    Ok(fields)
}

fn one(reader: &dyn Reader, layout: &Layout, key: &str, given: &str, name: &str) -> Result<(&'static str, Value)> {
    let kept = |field: &'static str, text: String| values::kept(reader, layout, USERS, field, &text);
    Ok(match key {
        "display-name" => ("display_name", values::display_name(given)?.into()),
        "email" => ("user_email", values::email(given)?.into()),
        "role" => ("user_role", roles::checked(layout, given)?.into()),
        "provider" if given == "none" && !layout.heeds_providers() => return Err(ignored(layout)),
        "provider" => ("auth_provider", if given.is_empty() { "default" } else { given }.into()),
        "auth-id" => ("auth_id", kept("auth_id", values::subject(given)?)?),
        "auth-issuer" => ("auth_issuer", kept("auth_issuer", values::issuer(given)?)?),
        "superadmin" => ("super_admin", yes_or_no(key, given)?),
        "login" => ("can_login", yes_or_no(key, given)?),
        "webdav" => ("webdav", yes_or_no(key, given)?),
        "base-path" => ("base_path", kept("base_path", values::folder(given, name)?)?),
        "upload-path" => ("upload_path", kept("upload_path", values::folder(given, name)?)?),
        "attr" => ("user_attr", values::attributes(given)?.into()),
        "scope" => ("user_scope", values::scope(given)?.into()),
        "expires" => ("expires_at", values::expiry(layout, given)?),
        other => return Err(Error::new(Kind::Usage, format!("PhotoPrism's accounts have no `{other}`"))),
    })
}

/// What looks like a lock and is none.
fn ignored(layout: &Layout) -> Error {
    let message = format!("PhotoPrism {} lets accounts in whatever their provider is", layout.describe());
    Error::unsupported(message).help("to keep somebody out say login=no")
}

/// `admin=` says the role and whether the account is a super administrator; either may be said as well, but not otherwise.
fn refuse_contradiction(request: &Request) -> Result<()> {
    let given = |key: &str| request.keys.get(key).map(|text| text.trim().to_lowercase());
    let Some(admin) = given("admin") else { return Ok(()) };
    let role = given("role").filter(|role| is_admin(role) != (admin == "yes")).map(|role| format!("role={role}"));
    let rights = given("superadmin").filter(|rights| *rights != admin).map(|rights| format!("superadmin={rights}"));
    match rights.or(role) {
        None => Ok(()),
        Some(other) => Err(Error::new(Kind::Usage, format!("admin={admin} and {other} contradict each other"))
            .help("`admin=yes` is a super administrator with the role admin, `admin=no` neither; say one of the two")),
    }
}

fn is_admin(role: &str) -> bool {
    ["admin", "cluster_admin"].contains(&role)
}

/// What makes an account a super administrator, or an ordinary one, as `admin grant` and `admin revoke` do.
fn administers(layout: &Layout, given: &str, role: &str) -> Result<Fields> {
    let admin = yes_or_no("admin", given)?;
    let role = match admin.as_bool() {
        Some(true) => Some("admin"),
        _ if is_admin(role) => Some(roles::ordinary(layout)),
        _ => None,
    };
    Ok(std::iter::once(("super_admin", admin)).chain(role.map(|role| ("user_role", role.into()))).collect())
}

/// The host's `yes` or `no`.
///
/// # Errors
/// It is neither.
pub fn yes_or_no(key: &str, given: &str) -> Result<Value> {
    match given {
        "yes" => Ok(Value::Int(1)),
        "no" => Ok(Value::Int(0)),
        _ => Err(Error::new(Kind::Usage, format!("`{key}=` takes yes or no"))),
    }
}

/// Whether a row may be as it would be: `touched` tells which fields are new.
///
/// # Errors
/// Another account has its address; OpenID Connect without the id it needs, or before there was any.
pub fn check(reader: &dyn Reader, layout: &Layout, row: &Record, touched: impl Fn(&str) -> bool) -> Result<()> {
    let user = User::of_record(layout, row);
    if user.provider == Provider::Oidc && (touched("auth_provider") || touched("auth_id")) {
        if !layout.oidc_passwords() {
            let message =
                format!("OpenID Connect begins with PhotoPrism 240711; this database is of {}", layout.describe());
            return Err(Error::unsupported(message));
        }
        let subject = row.text("auth_id").unwrap_or_default();
        if subject.chars().count() < SUBJECT {
            let message = "an account that signs in through OpenID Connect needs the id that server knows it by";
            return Err(
                Error::new(Kind::Usage, message).help(format!("add auth-id=ID, of at least {SUBJECT} characters"))
            );
        }
    }
    if touched("user_email") && !user.email.is_empty() {
        refuse_shared_email(reader, layout, &user)?;
    }
    Ok(())
}

fn refuse_shared_email(reader: &dyn Reader, layout: &Layout, user: &User) -> Result<()> {
    let email = || Some(Value::from(&user.email));
    let same = Filter::Range { field: "user_email".to_owned(), from: email(), to: email() };
    let others = find::users(reader, layout, same)?;
    let other =
        others.into_iter().find(|other| other.id != user.id && !other.is_system() && other.deleted_at.is_none());
    match other {
        None => Ok(()),
        Some(other) => Err(Error::new(
            Kind::Conflict,
            format!("`{}` has the e-mail address {} already", other.label(), other.email),
        )
        .help("PhotoPrism wants another for each account")),
    }
}

/// One id of another system leads to one account: whoever else had it, but for super administrators, loses it and is
/// switched off, as PhotoPrism itself does it. Gives the changes and what to know about them.
///
/// # Errors
/// The store's.
pub fn take_subject(
    reader: &dyn Reader,
    layout: &Layout,
    row: &Record,
    now: Time,
) -> Result<(Vec<Change>, Vec<String>)> {
    let id = User::of_record(layout, row).id;
    let given = |field: &str| row.get(field).filter(|value| !value.is_blank()).cloned();
    let (Some(subject), Some(_)) = (given("auth_id"), given("auth_provider")) else { return Ok((vec![], vec![])) };
    let (mut changes, mut notes) = (vec![], vec![]);
    for other in find::users(reader, layout, Filter::eq("auth_id", subject))? {
        let theirs = find::record(reader, layout, &other)?;
        if other.id == id || other.is_system() || theirs.text("auth_provider") != row.text("auth_provider") {
            continue;
        }
        if other.super_admin {
            notes.push(format!("the super administrator {} has the same auth-id, and keeps it", other.label()));
            continue;
        }
        changes.extend(without_subject(&theirs, layout, now));
        notes.push(format!("{} had this auth-id: it loses it, and its sign-in is switched off", other.label()));
    }
    Ok((changes, notes))
}

fn without_subject(row: &Record, layout: &Layout, now: Time) -> Option<Change> {
    let field = |name: &str, value: Value| (name.to_owned(), row.get(name).cloned().unwrap_or_default(), value);
    let fields =
        [field("auth_id", "".into()), field("auth_provider", "none".into()), field("updated_at", layout.time(now))];
    update(USERS, Record::new().with("id", row.get("id").cloned().unwrap_or_default()), fields)
}
