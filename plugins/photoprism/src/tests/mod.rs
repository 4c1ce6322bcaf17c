//! What the plugin reports and plans, on small stores in memory: rows in, exact changes out.

mod access;
mod accounts;
mod fake;
mod judging;
mod planning;

use crate::PhotoPrism;
use fake::{Fake, Kept, Plain};
use latchlift_plugin_api::*;

const NOW: Time = Time(1_732_200_000_000); // 2024-11-21T14:40:00Z

const USERS: &str = "id! user_uuid user_uid auth_provider auth_id user_name display_name user_email backup_email user_role \
                     user_attr super_admin can_login login_at expires_at webdav can_invite invite_token preview_token \
                     download_token ref_id created_at updated_at deleted_at";
const SESSIONS: &str = "id! user_uid user_name auth_provider auth_method auth_id last_active sess_expires sess_timeout \
                        client_ip user_agent ref_id login_at created_at auth_scope grant_type preview_token updated_at";
const CLIENTS: &str = "client_uid! user_uid user_name client_name client_role client_type client_url callback_url \
                       auth_provider auth_method auth_scope auth_expires auth_tokens auth_enabled last_active created_at \
                       updated_at";
const ADMIN: &str = "urj49eo9br1rfers";

/// 221118: no versions, no second factors, session ids are tokens.
fn old() -> Fake {
    let mut store = Fake::default();
    tables(&mut store, USERS, SESSIONS);
    store
}

/// 240915.
fn new(kind: StoreKind, edition: &str) -> Fake {
    let mut store = Fake { kind, ..Fake::default() };
    tables(&mut store, &format!("{USERS} auth_method auth_issuer"), &format!("{SESSIONS} client_uid client_name"));
    store.table("passcodes", "uid key_type key_url recovery_code verified_at activated_at created_at updated_at");
    store.table("versions", "id version edition error created_at updated_at migrated_at");
    let row = |version: &str, edition: &str, at: &str| {
        [("version", version.into()), ("edition", edition.into()), ("updated_at", at.into()), ("id", 1.into())]
    };
    store.add("versions", &row("250101-x-Linux", "pro", "2024-01-01 00:00:00+00:00"));
    store.add("versions", &row("240915-e1280b2fb-Linux-AMD64", edition, "2024-10-02 08:11:20.35+00:00"));
    store
}

fn sqlite() -> Fake {
    new(StoreKind::Sqlite, "plus")
}

fn tables(store: &mut Fake, users: &str, sessions: &str) {
    store.table("auth_users", users);
    store.table("auth_sessions", sessions);
    store.table("passwords", "uid! hash created_at updated_at");
    store.table("auth_users_details", "user_uid! subj_uid birth_year created_at updated_at");
    store.table("auth_users_settings", "user_uid! ui_theme created_at updated_at");
    let system = [("id", (-1).into()), ("user_uid", "u000000000000001".into()), ("user_name", "".into())];
    store.add("auth_users", &system);
    user(store, 1, "admin", &[("user_uid", ADMIN.into()), ("super_admin", 1.into()), ("user_role", "admin".into())]);
    hash(store, ADMIN, 1);
}

/// A uid of a time long past.
fn uid(id: i64) -> String {
    format!("uskpyq{id:010}")
}

fn user(store: &mut Fake, id: i64, name: &str, fields: &[(&str, Value)]) {
    let mut row: Vec<(&str, Value)> = vec![
        ("id", id.into()),
        ("user_uid", uid(id).into()),
        ("user_name", name.into()),
        ("auth_provider", "".into()),
        ("user_role", "user".into()),
        ("super_admin", 0.into()),
        ("can_login", 1.into()),
        ("preview_token", 12_345_678.into()),
        ("download_token", "abcdefgh".into()),
        ("updated_at", "2024-10-02 08:11:12.138396073+00:00".into()),
    ];
    row.retain(|(name, _)| !fields.iter().any(|(field, _)| field == name));
    row.extend(fields.iter().cloned());
    store.add("auth_users", &row);
}

/// Stores the hash of the password behind a handle.
fn hash(store: &mut Fake, uid: &str, handle: u32) {
    let hash = Bcrypt::hash(&Plain, Handle(handle), "2a", 12).unwrap();
    let at = "2024-10-02 08:11:12.138396073+00:00";
    let row = [("uid", uid.into()), ("hash", hash.into()), ("created_at", at.into()), ("updated_at", at.into())];
    store.add("passwords", &row);
}

fn session(store: &mut Fake, id: &str, uid: &str, provider: Value, method: &str, parent: &str) {
    let row: [(&str, Value); 8] = [
        ("id", id.into()),
        ("user_uid", uid.into()),
        ("auth_provider", provider),
        ("auth_method", method.into()),
        ("auth_id", parent.into()),
        ("last_active", 1_732_199_000.into()),
        ("sess_expires", 1_733_335_421.into()),
        ("ref_id", format!("sess{id}").into()),
    ];
    store.add("auth_sessions", &row);
}

fn request(verb: &str, name: &str) -> Request {
    let target = (!name.is_empty()).then(|| Target { name: name.to_owned(), ..Target::default() });
    let password = Some(Handle(1));
    let random = Random::new(vec![9; 32]);
    Request { verb: verb.into(), target, password, now: NOW, random, ..Request::default() }
}

fn plan(store: &Fake, request: &Request) -> Result<Plan> {
    PhotoPrism.plan(&Context { reader: store, secrets: &Plain }, request)
}

fn read(store: &Fake, request: &Request) -> Result<Vec<Batch>> {
    let mut kept = Kept::default();
    PhotoPrism.read(&Context { reader: store, secrets: &Plain }, request, &mut kept)?;
    Ok(kept.0)
}

fn show(store: &Fake, name: &str) -> Account {
    match read(store, &request("user.show", name)).unwrap().remove(0) {
        Batch::Accounts(mut accounts) => accounts.remove(0),
        other => panic!("{other:?}"),
    }
}

fn listed(store: &Fake, options: Options) -> Vec<Account> {
    let batches = read(store, &Request { options, ..request("user.list", "") }).unwrap();
    let accounts = batches.into_iter().flat_map(|batch| match batch {
        Batch::Accounts(accounts) => accounts,
        other => panic!("{other:?}"),
    });
    accounts.collect()
}

fn verdict(store: &Fake, name: &str, password: u32) -> Verdict {
    let request = Request { password: Some(Handle(password)), ..request("password.check", name) };
    match read(store, &request).unwrap().remove(0) {
        Batch::Verdict(verdict) => verdict,
        other => panic!("{other:?}"),
    }
}

fn codes(account: &Account) -> Vec<&str> {
    account.reasons.iter().filter(|reason| reason.blocking).map(|reason| reason.code.as_str()).collect()
}

/// Sessions by id after a plan.
fn left(store: &Fake, plan: &Plan) -> Vec<String> {
    let after = store.after(plan);
    let mut ids: Vec<String> = after.tables["auth_sessions"].rows.iter().filter_map(|row| row[0].to_text()).collect();
    ids.sort();
    ids
}
