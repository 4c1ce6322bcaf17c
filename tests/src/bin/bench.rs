//! `make bench`: the figures this project holds itself to, measured on this machine, in this run.
//!
//! Times are of whole processes, from outside; ratios are against the store's own client in the same run, because the
//! machine's speed drifts. Medians of several runs. Exit code 1 where a bound is missed.

use latchlift_tests::apps::{self, Instance, Story, Target};
use latchlift_tests::db::Dialect;
use latchlift_tests::{Result, bench, servers};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

const ACCOUNTS: usize = 100_000;
const RUNS: usize = 9;

/// The argument with which this program times one hash, of the cost that follows, and prints its milliseconds.
const HASH: &str = "hash";

fn main() -> Result<()> {
    if let [verb, cost] = std::env::args().skip(1).collect::<Vec<_>>().as_slice()
        && verb == HASH
    {
        let (cost, start) = (cost.parse()?, Instant::now());
        bcrypt::bcrypt(cost, [7; 16], b"correct horse 9\0");
        println!("{}", milliseconds(start.elapsed()));
        return Ok(());
    }
    let place = tempfile::Builder::new().prefix("latchlift-bench-").tempdir()?;
    let mut figures = Figures { missed: 0 };
    println!("{:<44} {:>12} {:>12}  ", "figure", "measured", "bound");
    version(&mut figures)?;
    for (app, store, cost, bound) in [
        ("homarr", "sqlite", 10, 10.0),
        ("homarr", "mysql", 10, 20.0),
        ("homarr", "postgres", 10, 20.0),
        ("photoprism", "sqlite", 12, 10.0),
        ("photoprism", "mysql", 12, 20.0),
        ("home-assistant", "json", 12, 10.0),
    ] {
        let app = Subject::new(app, store, place.path())?;
        reset(&mut figures, &app, cost, bound)?;
        list(&mut figures, &app)?;
        if app.target.app == "homarr" {
            remove(&mut figures, &app)?;
        }
    }
    tokens(&mut figures, place.path())?;
    plugins(&mut figures, place.path())?;
    match figures.missed {
        0 => Ok(()),
        missed => Err(format!("{missed} figures miss their bound").into()),
    }
}

/// Prints figures and counts the ones that miss.
struct Figures {
    missed: usize,
}

impl Figures {
    fn add(&mut self, name: &str, measured: f64, bound: f64, unit: &str) {
        let fits = measured <= bound;
        self.missed += usize::from(!fits);
        let verdict = if fits { "" } else { "MISSED" };
        println!("{name:<44} {:>12} {:>12}  {verdict}", format!("{measured:.2} {unit}"), format!("{bound:.0} {unit}"));
    }
}

/// How long a process took, and the most memory it held.
#[derive(Clone, Copy, Debug)]
struct Cost {
    wall: Duration,
    memory: u64,
}

/// Runs a process and waits for it with the kernel's own account of it.
fn run(command: &mut Command, input: &str) -> Result<Cost> {
    use std::io::Write;
    command.stdin(Stdio::piped()).stdout(Stdio::null()).stderr(Stdio::piped());
    let start = Instant::now();
    let mut child = command.spawn()?;
    if let Some(mut stdin) = child.stdin.take() {
        stdin.write_all(input.as_bytes()).ok();
    }
    let mut status = 0;
    // SAFETY: `usage` is plain data, which zeroes are valid for, and both pointers live through the call.
    let mut usage: libc::rusage = unsafe { std::mem::zeroed() };
    let pid = libc::pid_t::try_from(child.id())?;
    // SAFETY: as above; the child is ours and nobody else waits for it.
    let waited = unsafe { libc::wait4(pid, &raw mut status, 0, &raw mut usage) };
    let wall = start.elapsed();
    if waited != pid || !libc::WIFEXITED(status) || libc::WEXITSTATUS(status) != 0 {
        let mut said = String::new();
        if let Some(mut stderr) = child.stderr.take() {
            std::io::Read::read_to_string(&mut stderr, &mut said)?;
        }
        return Err(format!("{command:?} failed: {said}").into());
    }
    Ok(Cost { wall, memory: u64::try_from(usage.ru_maxrss)? * 1024 })
}

/// The median wall time of several runs after one that warms up, and the most memory of all.
fn median(runs: usize, mut each: impl FnMut() -> Result<Cost>) -> Result<Cost> {
    each()?;
    let mut costs = (0..runs).map(|_| each()).collect::<Result<Vec<Cost>>>()?;
    costs.sort_by_key(|cost| cost.wall);
    let memory = costs.iter().map(|cost| cost.memory).max().unwrap_or_default();
    Ok(Cost { wall: costs[costs.len() / 2].wall, memory })
}

fn milliseconds(duration: Duration) -> f64 {
    duration.as_secs_f64() * 1000.0
}

/// An app in a store, with the program run on it.
struct Subject {
    target: Target,
    app: Box<dyn Instance>,
    directory: PathBuf,
}

impl Subject {
    fn new(app: &str, store: &str, place: &Path) -> Result<Subject> {
        let fits = |target: &Target| {
            target.app == app
                && target.store == store
                && target.known
                && target.genuine.is_none()
                && target.variant.is_empty()
        };
        let none = || format!("there is no {app} on {store}");
        let mut all = apps::targets()?.into_iter();
        let target = all.rfind(|target| fits(target)).or_else(|| any(app, store)).ok_or_else(none)?;
        let directory = place.join(format!("{app}-{store}"));
        std::fs::create_dir_all(&directory)?;
        let app = apps::seed(&target, Story::Usual, &directory)?;
        Ok(Subject { target, app, directory })
    }

    fn name(&self) -> String {
        format!("{} on {}", self.target.app, self.target.store)
    }

    fn latchlift(&self, words: &str) -> Result<Command> {
        let mut command = program(&self.directory);
        command.args(words.split_whitespace()).arg("--app").arg(self.app.location()?);
        if let Some(password) = self.app.store_password() {
            let file = self.directory.join("store-password");
            std::fs::write(&file, password)?;
            command.arg("--store-password-file").arg(file);
        }
        Ok(command)
    }
}

/// Any variant of the newest layout, where none is without.
fn any(app: &str, store: &str) -> Option<Target> {
    let mut all = apps::targets().ok()?.into_iter();
    all.rfind(|target| target.app == app && target.store == store && target.known && target.genuine.is_none())
}

fn program(directory: &Path) -> Command {
    let mut command = Command::new(bench::binary());
    command.env_clear().env("LATCHLIFT_STATE_DIR", directory.join("state")).env("LATCHLIFT_CONFIG", "/dev/null");
    command
}

fn version(figures: &mut Figures) -> Result<()> {
    let cost = median(RUNS * 3, || run(program(Path::new("/tmp")).arg("--version"), ""))?;
    figures.add("latchlift --version", milliseconds(cost.wall), 5.0, "ms");
    Ok(())
}

fn reset(figures: &mut Figures, subject: &Subject, cost: u32, bound: f64) -> Result<()> {
    let mut over = Vec::new();
    let reset = median(2 * RUNS, || {
        // Each run is compared with a hash timed just before it, in a process of its own as well: how fast a quarter of a
        // second of hashing is depends on where its memory lies, by more than all the rest takes.
        let hash = Command::new(std::env::current_exe()?).args([HASH, &cost.to_string()]).output()?;
        let hash: f64 = String::from_utf8(hash.stdout)?.trim().parse()?;
        let words = "password reset admin --password-stdin --yes --quiet";
        let reset = run(&mut subject.latchlift(words)?, "correct horse 9\n")?;
        over.push(milliseconds(reset.wall) - hash);
        Ok(reset)
    })?;
    over.sort_by(f64::total_cmp);
    let over = over[over.len() / 2];
    figures.add(&format!("password reset less one hash, {}", subject.name()), over, bound, "ms");
    figures.add(&format!("password reset memory, {}", subject.name()), mebibytes(reset.memory), 32.0, "MiB");
    Ok(())
}

fn mebibytes(bytes: u64) -> f64 {
    bytes as f64 / 1024.0 / 1024.0
}

fn list(figures: &mut Figures, subject: &Subject) -> Result<()> {
    fill(subject)?;
    let mut peers = Vec::new();
    let ours = median(5, || {
        // The client is timed between the runs, so that both see the same machine.
        peers.push(run(&mut peer(subject)?, "")?);
        run(&mut subject.latchlift("user list --json")?, "")
    })?;
    peers.sort_by_key(|cost| cost.wall);
    let peer = peers[peers.len() / 2];
    let ratio = ours.wall.as_secs_f64() / peer.wall.as_secs_f64();
    let times = format!("{:.0} against {:.0} ms", milliseconds(ours.wall), milliseconds(peer.wall));
    figures.add(&format!("user list, 100,000, {} ({times})", subject.name()), ratio, 3.0, "x");
    figures.add(&format!("user list memory, {}", subject.name()), mebibytes(ours.memory), 200.0, "MiB");
    Ok(())
}

/// Among the hundred thousand, one with ten thousand sessions goes.
fn remove(figures: &mut Figures, subject: &Subject) -> Result<()> {
    let (Some(database), Some(bob)) = (subject.app.database(), subject.app.person("bob")) else { return Ok(()) };
    let expires = if database.dialect == Dialect::Sqlite { "4102444800000" } else { "'2037-01-01 00:00:00'" };
    let mut rows = (0..10_000).map(|n| format!("('bobs{n}', '{}', {expires})", bob.id));
    let session = database.dialect.name("session");
    while let Some(first) = rows.next() {
        let some: Vec<String> = std::iter::once(first).chain(rows.by_ref().take(999)).collect();
        database.script(&format!(
            "INSERT INTO {session} (session_token, user_id, expires) VALUES {};\n",
            some.join(", ")
        ))?;
    }
    let cost = run(&mut subject.latchlift("user remove bob --yes --quiet")?, "")?;
    figures.add(&format!("user remove, 10,000 sessions, {}", subject.name()), milliseconds(cost.wall), 2000.0, "ms");
    Ok(())
}

/// A house where everybody has signed in ten times: each verb reads all of that, and most write it again.
fn tokens(figures: &mut Figures, place: &Path) -> Result<()> {
    let place = place.join("tokens");
    let subject = Subject::new("home-assistant", "json", &place)?;
    fill_documents(&subject, 10_000, 10)?;
    for words in [
        "user list --json",
        "user show person1 --json",
        "session list --json",
        "session revoke person1 --yes --quiet",
        "user set person2 display-name=Somebody --yes --quiet",
        "user rename person3 somebody --yes --quiet",
        "user remove person4 --yes --quiet",
        "user add newcomer --password-stdin --yes --quiet",
        "password reset person5 --password-stdin --yes --quiet",
        "undo --yes --quiet",
        "session revoke --all --yes --quiet",
    ] {
        let cost = run(&mut subject.latchlift(words)?, "correct horse 9\n")?;
        let verb: Vec<&str> = words.split(' ').take(2).collect();
        let name = format!("{}, 100,000 tokens", verb.join(" "));
        figures.add(&name, milliseconds(cost.wall), 1000.0, "ms");
        figures.add(&format!("{name}, memory"), mebibytes(cost.memory), 200.0, "MiB");
    }
    Ok(())
}

/// Adds accounts until there are a hundred thousand, each with a group or what the app gives everybody, and three sessions.
fn fill(subject: &Subject) -> Result<()> {
    let Some(database) = subject.app.database() else { return fill_documents(subject, ACCOUNTS, 0) };
    // One that the apps can read: an account that cannot sign in has reasons too, which a list of thousands has not.
    let hash = "$2b$10$BVYYS966qmZLhsA7WEYd7u59dIs1gyNEYtn2PYNV3TrSXwpmVqbSi";
    let (numbers, text) = match database.dialect {
        Dialect::Sqlite => (
            format!(
                "(WITH RECURSIVE c(n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM c WHERE n < {ACCOUNTS}) SELECT n FROM c)"
            ),
            "TEXT",
        ),
        Dialect::MySql => (format!("(SELECT seq AS n FROM seq_1_to_{ACCOUNTS})"), "CHAR"),
        Dialect::Postgres => (format!("generate_series(1, {ACCOUNTS}) AS"), "TEXT"),
    };
    let from = format!("FROM {numbers} s{}", if database.dialect == Dialect::Postgres { "(n)" } else { "" });
    let name = |name: &str| database.dialect.name(name);
    let joined = |prefix: &str| match database.dialect {
        Dialect::MySql => format!("concat('{prefix}', n)"),
        _ => format!("'{prefix}' || CAST(n AS {text})"),
    };
    let expires = if database.dialect == Dialect::Sqlite { "4102444800000" } else { "'2037-01-01 00:00:00'" };
    let (id, person, mail, token) = (joined("ubench00000000"), joined("person"), joined("mail@"), joined("token"));
    database.script(&match subject.target.app {
        "homarr" => format!(
            "INSERT INTO {user} (id, name, email, password, provider) SELECT {id}, {person}, {mail}, '{hash}', 'credentials' {from};
             INSERT INTO {member} (group_id, user_id) SELECT (SELECT id FROM {group} WHERE name = 'everyone'), {id} {from};
             INSERT INTO {session} (session_token, user_id, expires) SELECT {token}, {id}, {expires} {from};
             INSERT INTO {session} (session_token, user_id, expires) SELECT {second}, {id}, {expires} {from};
             INSERT INTO {session} (session_token, user_id, expires) SELECT {third}, {id}, {expires} {from};",
            second = joined("second"),
            third = joined("third"),
            user = name("user"),
            member = name("groupMember"),
            group = name("group"),
            session = name("session"),
        ),
        _ => format!(
            "INSERT INTO auth_users (id, user_uid, auth_provider, user_name, user_email, user_role, super_admin, can_login)
             SELECT n + 1000, {id}, 'default', {person}, {mail}, 'guest', 0, 1 {from};
             INSERT INTO passwords (uid, hash) SELECT {id}, '{hash}' {from};
             INSERT INTO auth_sessions (id, user_uid, auth_provider, auth_method, sess_expires)
             SELECT {token}, {id}, 'local', 'default', 4102444800 {from};
             INSERT INTO auth_sessions (id, user_uid, auth_provider, auth_method, sess_expires)
             SELECT {second}, {id}, 'local', 'default', 4102444800 {from};
             INSERT INTO auth_sessions (id, user_uid, auth_provider, auth_method, sess_expires)
             SELECT {third}, {id}, 'local', 'default', 4102444800 {from};",
            second = joined("second"),
            third = joined("third"),
        ),
    })
}

/// Adds people with so many sign-ins each to Home Assistant's documents, by its own writer: Python's json.
fn fill_documents(subject: &Subject, accounts: usize, tokens: usize) -> Result<()> {
    let location = subject.app.location()?;
    let directory = location.split_once(':').map_or("", |(_, path)| path);
    let made = Command::new("python3")
        .arg("-c")
        .arg(FILL)
        .args([directory, &accounts.to_string(), &tokens.to_string()])
        .output()?;
    match made.status.success() {
        true => Ok(()),
        false => Err(String::from_utf8_lossy(&made.stderr).into()),
    }
}

const FILL: &str = r#"
import json, sys
directory, count, tokens = sys.argv[1], int(sys.argv[2]), int(sys.argv[3])
def edit(name, change):
    path = f"{directory}/.storage/{name}"
    with open(path) as file:
        document = json.load(file)
    change(document["data"])
    with open(path, "w") as file:
        json.dump(document, file, indent=2, ensure_ascii=False)
def accounts(data):
    for n in range(count):
        user, credential = f"{n:032x}", f"{n + count:032x}"
        data["users"].append({"id": user, "group_ids": ["system-users"], "is_owner": False, "is_active": True,
            "name": f"Person {n}", "system_generated": False, "local_only": False})
        data["credentials"].append({"id": credential, "user_id": user, "auth_provider_type": "homeassistant",
            "auth_provider_id": None, "data": {"username": f"person{n}"}})
        for m in range(tokens):
            secret = f"{n * tokens + m:0128x}"
            data["refresh_tokens"].append({"id": secret[96:], "user_id": user, "client_id": "https://home.example/",
                "client_name": None, "client_icon": None, "token_type": "normal",
                "created_at": "2026-11-01T10:00:00.000000+00:00", "access_token_expiration": 1800.0, "token": secret,
                "jwt_key": secret, "last_used_at": "2026-11-20T10:00:00.123456+00:00", "last_used_ip": "192.0.2.20",
                "expire_at": 4102444800.123, "credential_id": credential, "version": "2026.11.0"})
edit("auth", accounts)
password = "JDJiJDEyJFBZdWtZOHl2Z3JDeWxHS3Q2OG5rOGVHRW9XVjlIMTZtVm9Va1NVVGplZW9zNDhaUVVlQTNx"
edit("auth_provider.homeassistant", lambda data: data["users"].extend(
    {"username": f"person{n}", "password": password} for n in range(count)))
"#;

/// The columns the list is made of: accounts, and what says who is in which group, has a password, is signed in.
const HOMARR: [&str; 3] = [
    r#"SELECT id, name, email, provider, password FROM "user""#,
    r#"SELECT user_id, group_id FROM "groupMember""#,
    "SELECT user_id, expires FROM session",
];
const PHOTOPRISM: [&str; 3] = [
    "SELECT id, user_uid, user_name, display_name, user_email, user_role, auth_provider, auth_method, super_admin, \
     can_login, login_at, expires_at, deleted_at, created_at FROM auth_users",
    "SELECT uid, hash FROM passwords",
    "SELECT user_uid, auth_provider, auth_method, last_active, sess_expires, sess_timeout FROM auth_sessions",
];

/// The store's own client giving the same columns.
fn peer(subject: &Subject) -> Result<Command> {
    let location = subject.app.location()?;
    let path = location.split_once(':').map_or("", |(_, path)| path).to_owned();
    let queries = if subject.target.app == "homarr" { HOMARR } else { PHOTOPRISM };
    let query = queries.join("; ");
    Ok(match subject.target.store {
        "sqlite" => {
            let mut command = Command::new("sqlite3");
            command.args(["-json", &path, &query]);
            command
        }
        "mysql" => {
            let name = database_name(&path);
            let mut command = Command::new("mariadb");
            command.args(["--no-defaults", "-B", "-u", servers::USER, "-S"]).arg(&servers::mariadb()?.socket);
            command.env("MYSQL_PWD", servers::PASSWORD).args([&name, "-e", &query.replace('"', "`")]);
            command
        }
        "postgres" => {
            let (server, name) = (servers::postgres()?, database_name(&path));
            let mut command = Command::new("psql");
            command.args(["-X", "-A", "-t", "-U", servers::USER, "-h", "127.0.0.1", "-p", &server.port.to_string()]);
            command.env("PGPASSWORD", servers::PASSWORD).args(["-d", &name]);
            command.args(queries.iter().flat_map(|query| ["-c", *query]));
            command
        }
        _ => {
            let load = "import json, sys\nfor name in ('auth', 'auth_provider.homeassistant'):\n    json.load(open(sys.argv[1] + '/.storage/' + name))";
            let mut command = Command::new("python3");
            command.args(["-c", load, &path]);
            command
        }
    })
}

fn database_name(url: &str) -> String {
    let plain = url.split('?').next().unwrap_or(url);
    plain.rsplit('/').next().unwrap_or_default().to_owned()
}

/// Fifty more installed plugins, and a command that uses one.
fn plugins(figures: &mut Figures, place: &Path) -> Result<()> {
    let subject = Subject::new("homarr", "sqlite", &place.join("plugins"))?;
    let built = bench::binary().parent().unwrap_or(Path::new("."));
    let few = installed(&place.join("few"), built, 0)?;
    let many = installed(&place.join("many"), built, 50)?;
    let time = |dir: &Path| {
        median(RUNS * 3, || {
            let mut command = subject.latchlift("user list --json")?;
            run(command.arg("--plugin-dir").arg(dir), "")
        })
    };
    let (few, many) = (time(&few)?, time(&many)?);
    let more = milliseconds(many.wall) - milliseconds(few.wall);
    figures.add("fifty more plugins, to a command that uses one", more, 1.0, "ms");
    Ok(())
}

fn installed(dir: &Path, built: &Path, more: usize) -> Result<PathBuf> {
    std::fs::create_dir_all(dir)?;
    let library = built.join("liblatchlift_homarr.so");
    let facts = latchlift_tests::workspace().join("plugins/homarr/plugin.toml");
    std::fs::copy(&library, dir.join("liblatchlift_homarr.so"))?;
    std::fs::copy(&facts, dir.join("liblatchlift_homarr.toml"))?;
    for n in 0..more {
        std::fs::copy(&library, dir.join(format!("liblatchlift_other{n}.so")))?;
        std::fs::copy(&facts, dir.join(format!("liblatchlift_other{n}.toml")))?;
    }
    Ok(dir.to_owned())
}
