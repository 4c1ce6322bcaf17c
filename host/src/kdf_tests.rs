use super::*;
use latchlift_plugin_api::{Bcrypt, hex};

fn facts(password: PasswordRules) -> Facts {
    Facts { app: "homarr".into(), title: "Homarr".into(), password, ..Facts::default() }
}

fn cutting() -> PasswordRules {
    let cut = TooLong::Cut;
    PasswordRules { max_bytes: 72, set_too_long: cut, check_too_long: cut, ..PasswordRules::default() }
}

fn holding(password: &str, rules: PasswordRules, purpose: Purpose) -> (Vault, Handle) {
    let mut vault = Vault::default();
    let handle = vault.add(password, &facts(rules), purpose).unwrap();
    (vault, handle)
}

fn matches(password: &str, rules: PasswordRules, hash: &str) -> bool {
    let (vault, handle) = holding(password, rules, Purpose::Check);
    Bcrypt::parse(hash).unwrap().verify(&vault, handle).unwrap()
}

fn derived(password: &str, kdf: &Kdf, salt: &[u8], len: usize) -> String {
    hex(&digest(password.as_bytes(), false, kdf, salt, len).unwrap())
}

#[test]
fn bcrypt_agrees_with_the_published_vectors() {
    // From Openwall's crypt_blowfish.
    let long = "0123456789abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789chars after 72 are ignored";
    for (password, hash) in [
        ("U*U", "$2a$05$CCCCCCCCCCCCCCCCCCCCC.E5YPO9kmyuRGyh0XouQYb4YMJKvyOeW"),
        ("U*U*", "$2a$05$CCCCCCCCCCCCCCCCCCCCC.VGOzA784oUp/Z0DY336zx7pLYAy0lwK"),
        ("U*U*U", "$2a$05$XXXXXXXXXXXXXXXXXXXXXOAcXxm9kjPGEMsLznoKqmqw7tc8WCx4a"),
        (long, "$2a$05$abcdefghijklmnopqrstuu5s2v8.iXieOjg/.AySBTTZIIVFJeBui"),
        (&long[..72], "$2a$05$abcdefghijklmnopqrstuu5s2v8.iXieOjg/.AySBTTZIIVFJeBui"),
    ] {
        assert!(matches(password, cutting(), hash), "{password}");
    }
    let other = "$2a$05$CCCCCCCCCCCCCCCCCCCCC.E5YPO9kmyuRGyh0XouQYb4YMJKvyOeW";
    assert!(!matches("U*u", cutting(), other) && !matches(&long[..71], cutting(), other));
}

#[test]
fn a_hash_that_was_begun_serves_once_and_only_what_it_was_begun_for() {
    let (vault, handle) = holding("correct horse", cutting(), Purpose::Set);
    vault.begin(handle, &Kdf::Bcrypt { cost: 5 });
    let hashes = [4, 5, 5].map(|cost| Bcrypt::hash(&vault, handle, "2b", cost).unwrap());
    for (hash, cost) in hashes.iter().zip(["04", "05", "05"]) {
        assert!(hash.starts_with(&format!("$2b${cost}$")) && matches("correct horse", cutting(), hash), "{hash}");
    }
    assert_ne!(hashes[1], hashes[2], "two hashes must not share a salt");
}

#[test]
fn the_seventy_second_byte_counts() {
    let hash = "$2a$05$abcdefghijklmnopqrstuu5s2v8.iXieOjg/.AySBTTZIIVFJeBui";
    let short = "0123456789abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ012345678";
    assert_eq!(short.len(), 71);
    assert!(matches(&format!("{short}9"), cutting(), hash) && !matches(short, cutting(), hash));
}

#[test]
fn a_new_hash_has_a_fresh_salt_and_verifies() {
    let (vault, handle) = holding("correct horse", cutting(), Purpose::Set);
    let one = Bcrypt::hash(&vault, handle, "2b", 4).unwrap();
    let two = Bcrypt::hash(&vault, handle, "2b", 4).unwrap();
    assert_ne!(one, two);
    assert!(one.starts_with("$2b$04$") && one.len() == 60 && matches("correct horse", cutting(), &one));
    assert!(!matches("correct horsf", cutting(), &one));
}

#[test]
fn the_other_functions_agree_with_their_published_vectors() {
    let pbkdf2 = |prf: &str| Kdf::Pbkdf2 { prf: prf.into(), iterations: 2, salt_len: 16, len: 32 };
    assert_eq!(
        derived("password", &pbkdf2("sha256"), b"salt", 32),
        "ae4d0c95af6b46d32d0adff928f06dd02a303f8ef3c251dfd6e2d85a95474c43"
    );
    assert_eq!(
        derived("password", &pbkdf2("sha512"), b"salt", 32),
        "e1d9c16aa681708a45f5c7c4e215ceb66e011a2e9f0040713f18aefdb866d53c"
    );
    // RFC 7914, and the reference implementation of Argon2.
    let scrypt = Kdf::Scrypt { log_n: 10, r: 8, p: 16, salt_len: 16, len: 64 };
    assert!(derived("password", &scrypt, b"NaCl", 64).starts_with("fdbabe1c9d3472007856e7190d01e9fe7c6ad7cb"));
    let argon2 =
        |variant: &str| Kdf::Argon2 { variant: variant.into(), memory: 256, time: 2, lanes: 1, salt_len: 16, len: 32 };
    assert_eq!(
        derived("password", &argon2("id"), b"somesalt", 32),
        "9dfeb910e80bad0311fee20f9c0e2b12c17987b4cac90c2ef54d5b3021c68bfe"
    );
    assert_eq!(
        derived("password", &argon2("i"), b"somesalt", 32),
        "89e9029f4637b295beb027056a7336c414fadd43f6b208645281cb214a56452f"
    );
}

#[test]
fn derived_hashes_of_every_function_verify_and_others_do_not() {
    let (vault, handle) = holding("pässword", PasswordRules::default(), Purpose::Set);
    let (other, wrong) = holding("passwort", PasswordRules::default(), Purpose::Check);
    for kdf in [
        Kdf::Argon2 { variant: "d".into(), memory: 64, time: 1, lanes: 2, salt_len: 16, len: 32 },
        Kdf::Pbkdf2 { prf: "sha512".into(), iterations: 10, salt_len: 20, len: 64 },
        Kdf::Scrypt { log_n: 4, r: 8, p: 1, salt_len: 16, len: 32 },
    ] {
        let Derived { salt, digest } = vault.derive(handle, &kdf).unwrap();
        assert!(vault.verify(handle, &kdf, &salt, &digest).unwrap(), "{kdf:?}");
        assert!(!other.verify(wrong, &kdf, &salt, &digest).unwrap(), "{kdf:?}");
    }
}

#[test]
fn absurd_costs_are_refused_before_any_work() {
    let (vault, handle) = holding("password", PasswordRules::default(), Purpose::Set);
    let argon2 = |memory, time| Kdf::Argon2 { variant: "id".into(), memory, time, lanes: 1, salt_len: 16, len: 32 };
    let scrypt = |log_n, r, p| Kdf::Scrypt { log_n, r, p, salt_len: 16, len: 32 };
    let pbkdf2 = Kdf::Pbkdf2 { prf: "sha256".into(), iterations: 10_000_001, salt_len: 16, len: 32 };
    let absurd = [
        Kdf::Bcrypt { cost: 17 },
        Kdf::Bcrypt { cost: u32::MAX },
        argon2((1 << 20) + 1, 1),
        argon2(64, 17),
        pbkdf2,
        scrypt(21, 1, 1),
        scrypt(255, 8, 1),
        scrypt(20, 9, 1),
        scrypt(4, u32::MAX, 1),
        scrypt(4, 8, u32::MAX),
    ];
    for kdf in absurd {
        assert_eq!(vault.verify(handle, &kdf, &[0; 16], &[0; 23]).unwrap_err().kind, api::Kind::Refused, "{kdf:?}");
    }
    let kind = vault.derive(handle, &Kdf::Bcrypt { cost: 15 }).unwrap_err().kind;
    assert_eq!(kind, api::Kind::Refused);
}

#[test]
fn impossible_parameters_are_errors_and_never_panics() {
    let (vault, handle) = holding("password", PasswordRules::default(), Purpose::Set);
    for (kdf, salt, digest) in [
        (Kdf::Bcrypt { cost: 3 }, 16, 23),
        (Kdf::Bcrypt { cost: 5 }, 15, 23),
        (Kdf::Bcrypt { cost: 5 }, 16, 22),
        (Kdf::Bcrypt { cost: 5 }, 16, 0),
        (Kdf::Bcrypt { cost: 5 }, 16, 25),
        (Kdf::Argon2 { variant: "id".into(), memory: 1, time: 1, lanes: 1, salt_len: 16, len: 32 }, 16, 32),
        (Kdf::Argon2 { variant: "x".into(), memory: 64, time: 1, lanes: 1, salt_len: 16, len: 32 }, 16, 32),
        (Kdf::Argon2 { variant: "id".into(), memory: 64, time: 1, lanes: 0, salt_len: 16, len: 32 }, 16, 32),
        (Kdf::Pbkdf2 { prf: "sha256".into(), iterations: 0, salt_len: 16, len: 32 }, 16, 32),
        (Kdf::Scrypt { log_n: 4, r: 0, p: 1, salt_len: 16, len: 32 }, 16, 32),
        (Kdf::Scrypt { log_n: 4, r: 1, p: 0, salt_len: 16, len: 32 }, 16, 32),
        (Kdf::Pbkdf2 { prf: "sha256".into(), iterations: 1, salt_len: 16, len: 32 }, 16, 1 << 20),
    ] {
        let error = vault.verify(handle, &kdf, &vec![0; salt], &vec![0; digest]).unwrap_err();
        assert_eq!(error.kind, api::Kind::Contract, "{kdf:?}");
    }
    let sha1 = Kdf::Pbkdf2 { prf: "sha1".into(), iterations: 1, salt_len: 16, len: 20 };
    assert_eq!(vault.derive(handle, &sha1).unwrap_err().kind, api::Kind::Unsupported);
    let unsafe_salt = Kdf::Pbkdf2 { prf: "sha256".into(), iterations: 1, salt_len: 0, len: 32 };
    assert_eq!(vault.derive(handle, &unsafe_salt).unwrap_err().kind, api::Kind::Contract);
    assert_eq!(vault.derive(Handle(0), &Kdf::Bcrypt { cost: 5 }).unwrap_err().kind, api::Kind::Contract);
    assert_eq!(vault.derive(Handle(9), &Kdf::Bcrypt { cost: 5 }).unwrap_err().kind, api::Kind::Contract);
}

#[test]
fn a_short_password_may_be_checked_but_not_set() {
    let rules = facts(PasswordRules { min_chars: 8, ..PasswordRules::default() });
    let mut vault = Vault::default();
    let error = vault.add("grüße", &rules, Purpose::Set).unwrap_err();
    assert_eq!(error.message, "the password has 5 characters; Homarr asks for at least 8");
    assert_eq!(error.kind, Kind::Usage);
    assert!(vault.add("grüße", &rules, Purpose::Check).is_ok());
    assert!(vault.add("grüße äö", &rules, Purpose::Set).is_ok());
}

#[test]
fn a_trimming_app_never_sees_outer_blanks() {
    let rules = PasswordRules { trim: true, min_chars: 3, ..PasswordRules::default() };
    let (vault, handle) = holding(" U*U\u{a0}", rules.clone(), Purpose::Check);
    let hash = Bcrypt::parse("$2a$05$CCCCCCCCCCCCCCCCCCCCC.E5YPO9kmyuRGyh0XouQYb4YMJKvyOeW").unwrap();
    assert!(hash.verify(&vault, handle).unwrap());
    let mut vault = Vault::default();
    assert!(vault.add("  ab  ", &facts(rules.clone()), Purpose::Set).is_err());
    assert!(vault.add("     ", &facts(rules), Purpose::Set).is_err());
}

#[test]
fn a_password_above_the_limit_is_refused_or_never_matches() {
    let rules = PasswordRules { max_bytes: 72, ..PasswordRules::default() };
    let (at, above) = ("ü".repeat(36), format!("{}x", "ü".repeat(36)));
    let mut vault = Vault::default();
    assert!(vault.add(&at, &facts(rules.clone()), Purpose::Set).is_ok());
    let error = vault.add(&above, &facts(rules.clone()), Purpose::Set).unwrap_err();
    assert_eq!(error.message, "the password has 73 bytes; Homarr takes at most 72");
    let set = vault.add(&at, &facts(rules.clone()), Purpose::Set).unwrap();
    let hash = Bcrypt::hash(&vault, set, "2b", 4).unwrap();
    assert!(!matches(&above, rules, &hash) && matches(&above, cutting(), &hash));
}

#[test]
fn bytes_are_cut_even_inside_a_character_and_the_person_is_told() {
    let password = format!("{}ü", "x".repeat(71));
    let (vault, handle) = holding(&password, cutting(), Purpose::Set);
    let hash = Bcrypt::hash(&vault, handle, "2b", 4).unwrap();
    assert!(matches(&password, cutting(), &hash));
    let warning = cut_warning(&password, &facts(cutting())).unwrap();
    assert_eq!(warning, "the password has 73 bytes; Homarr uses only the first 72");
    assert_eq!(cut_warning("short", &facts(cutting())), None);
}

#[test]
fn bcrypt_never_cuts_on_its_own() {
    let (vault, handle) = holding(&"x".repeat(73), PasswordRules::default(), Purpose::Set);
    assert_eq!(vault.derive(handle, &Kdf::Bcrypt { cost: 4 }).unwrap_err().kind, api::Kind::Refused);
    assert_eq!(
        vault.verify(handle, &Kdf::Bcrypt { cost: 4 }, &[0; 16], &[0; 23]).unwrap_err().kind,
        api::Kind::Refused
    );
}

#[test]
fn a_placeholder_shows_the_shape_without_hashing() {
    let mut vault = Vault::default();
    let handle = vault.placeholder();
    let hash = Bcrypt::hash(&vault, handle, "2a", 14).unwrap();
    assert_eq!(hash, format!("$2a$14${}", ".".repeat(53)));
    assert!(!vault.verify(handle, &Kdf::Bcrypt { cost: 14 }, &[0; 16], &[0; 23]).unwrap());
}

#[test]
fn nul_is_refused_and_debug_shows_nothing() {
    let mut vault = Vault::default();
    for purpose in [Purpose::Set, Purpose::Check] {
        assert_eq!(vault.add("pass\0word", &facts(cutting()), purpose).unwrap_err().kind, Kind::Usage);
    }
    vault.add("hunter2hunter2", &facts(cutting()), Purpose::Set).unwrap();
    assert_eq!(format!("{vault:?}"), "Vault(1 held)");
}

#[test]
fn an_empty_password_never_matches_and_is_never_set() {
    let mut vault = Vault::default();
    assert!(vault.add("", &facts(cutting()), Purpose::Set).is_err());
    let handle = vault.add("", &facts(cutting()), Purpose::Check).unwrap();
    let empty = digest(b"", true, &Kdf::Bcrypt { cost: 4 }, &[0; 16], 23).unwrap();
    assert!(!vault.verify(handle, &Kdf::Bcrypt { cost: 4 }, &[0; 16], &empty).unwrap());
    assert!(vault.derive(handle, &Kdf::Bcrypt { cost: 4 }).is_err());
}
