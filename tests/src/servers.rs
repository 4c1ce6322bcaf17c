//! Private database servers: their own data directory, socket and loopback port, gone when the tests end.
//!
//! Each is started once per test process, when first asked for. It hangs from a guard, a shell in a process group of
//! its own that waits at a pipe: however the test process ends (panic, Ctrl-C, kill -9), the pipe closes, and the guard
//! stops the server and removes its directory. A parent-death signal would not do: it goes out when the *thread* that
//! started the server ends.

use crate::Result;
use std::net::TcpListener;
use std::os::unix::fs::PermissionsExt;
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Output, Stdio};
use std::sync::{Mutex, OnceLock};
use std::time::{Duration, Instant};

/// The account the program under test signs in to servers with.
pub const USER: &str = "latchlift";
/// Its password.
pub const PASSWORD: &str = "st0re pass'word\"#";

/// A running server.
pub struct Server {
    /// Its unix socket; for PostgreSQL the directory it is in.
    pub socket: PathBuf,
    /// Its port at 127.0.0.1.
    pub port: u16,
    /// Its process, to stop and continue.
    pub pid_file: PathBuf,
    /// Ends when we do; the guard notices.
    _guard: Mutex<Child>,
}

/// The MariaDB of this test process.
///
/// # Errors
/// It cannot be had; says how to get it.
pub fn mariadb() -> Result<&'static Server> {
    static SERVER: OnceLock<std::result::Result<Server, String>> = OnceLock::new();
    started(SERVER.get_or_init(|| attempts("MariaDB", start_mariadb)))
}

/// The PostgreSQL of this test process.
///
/// # Errors
/// It cannot be had; says how to get it.
pub fn postgres() -> Result<&'static Server> {
    static SERVER: OnceLock<std::result::Result<Server, String>> = OnceLock::new();
    started(SERVER.get_or_init(|| attempts("PostgreSQL", start_postgres)))
}

fn started(server: &'static std::result::Result<Server, String>) -> Result<&'static Server> {
    server.as_ref().map_err(|why| why.clone().into())
}

/// A free port may be taken by somebody else before the server has it, so a failed start is tried again.
fn attempts(title: &str, start: fn() -> Result<Server>) -> std::result::Result<Server, String> {
    let mut last = String::new();
    for _ in 0..3 {
        match start() {
            Ok(server) => return Ok(server),
            Err(why) => last = why.to_string(),
        }
    }
    Err(format!("{title} cannot be had: {last}\nhelp: `make setup` installs it"))
}

fn start_mariadb() -> Result<Server> {
    let install = program("mariadb-install-db", &[])?;
    let mariadbd = program("mariadbd", &["/usr/sbin", "/usr/local/sbin", "/usr/libexec"])?;
    let root = private_directory("mariadb")?;
    let (data, socket, port) = (root.join("data"), root.join("sock"), free_port()?);
    let pid_file = root.join("pid");
    let as_us = format!("--user={}", user_name()?);
    let made = Command::new(install)
        .args(["--no-defaults", "--auth-root-authentication-method=normal", "--skip-test-db", "--skip-name-resolve"])
        .arg(&as_us)
        .arg(format!("--datadir={}", data.display()))
        .output()?;
    succeeded("mariadb-install-db", &made)?;
    let mut server = Command::new(mariadbd);
    server.arg("--no-defaults").arg(&as_us).arg(format!("--datadir={}", data.display()));
    server.arg(format!("--socket={}", socket.display())).arg(format!("--port={port}"));
    server.arg(format!("--pid-file={}", pid_file.display()));
    server.args(["--bind-address=127.0.0.1", "--skip-log-bin", "--skip-name-resolve", "--lower-case-table-names=0"]);
    // Nobody misses the data after a power cut.
    server.args(["--innodb-flush-log-at-trx-commit=0", "--innodb-doublewrite=0", "--sync-frm=0"]);
    server.args(["--innodb-buffer-pool-size=64M", "--innodb-log-file-size=16M", "--max-connections=100"]);
    let guard = guarded(&server, &root, "KILL")?;
    let server = Server { socket, port, pid_file, _guard: Mutex::new(guard) };
    wait_until(&root, || admin_mysql(&server).is_ok())?;
    let mut admin = admin_mysql(&server)?;
    use mysql::prelude::Queryable;
    for host in ["localhost", "127.0.0.1"] {
        let password = PASSWORD.replace('\'', "''");
        admin.query_drop(format!("CREATE USER '{USER}'@'{host}' IDENTIFIED BY '{password}'"))?;
        admin.query_drop(format!("GRANT ALL ON *.* TO '{USER}'@'{host}'"))?;
    }
    Ok(server)
}

fn admin_mysql(server: &Server) -> Result<mysql::Conn> {
    let options = mysql::OptsBuilder::new().user(Some("root")).socket(Some(server.socket.to_string_lossy()));
    Ok(mysql::Conn::new(options)?)
}

fn start_postgres() -> Result<Server> {
    let initdb = postgres_program("initdb")?;
    let root = private_directory("postgres")?;
    let (data, port) = (root.join("data"), free_port()?);
    let other = other_user()?;
    let mut init = as_user(&other, &initdb);
    init.arg("-D").arg(&data);
    init.args(["-U", "postgres", "--auth-local=trust", "--auth-host=scram-sha-256", "--no-sync"]);
    init.args(["-E", "UTF8", "--locale=C.UTF-8"]).current_dir("/");
    if let Some((user, _)) = &other {
        succeeded("chown", &Command::new("chown").arg(user).arg(&root).output()?)?;
    }
    succeeded("initdb", &init.output()?)?;
    let mut server = as_user(&other, &postgres_program("postgres")?);
    server.arg("-D").arg(&data).arg("-k").arg(&root).args(["-p", &port.to_string(), "-h", "127.0.0.1"]);
    for setting in ["fsync=off", "synchronous_commit=off", "full_page_writes=off", "max_connections=100"] {
        server.args(["-c", setting]);
    }
    let guard = guarded(&server, &root, "QUIT")?;
    let pid_file = data.join("postmaster.pid");
    let server = Server { socket: root.clone(), port, pid_file, _guard: Mutex::new(guard) };
    wait_until(&root, || postgres_client(&server, "postgres", "postgres").is_ok())?;
    let mut admin = postgres_client(&server, "postgres", "postgres")?;
    let password = PASSWORD.replace('\'', "''");
    admin.batch_execute(&format!("CREATE ROLE {USER} LOGIN CREATEDB PASSWORD '{password}'"))?;
    Ok(server)
}

/// Opens `database` over the socket, where nobody is asked for a password.
pub(crate) fn postgres_client(server: &Server, user: &str, database: &str) -> Result<postgres::Client> {
    let mut options = postgres::Config::new();
    options.host_path(&server.socket).port(server.port).user(user).dbname(database);
    options.connect_timeout(Duration::from_secs(10));
    Ok(options.connect(postgres::NoTls)?)
}

/// PostgreSQL refuses to run as root: then its user, or nobody.
fn other_user() -> Result<Option<(String, String)>> {
    if !rustix::process::geteuid().is_root() {
        return Ok(None);
    }
    for user in ["postgres", "nobody"] {
        let group = Command::new("id").args(["-g", user]).output()?;
        if group.status.success() {
            return Ok(Some((user.to_owned(), String::from_utf8(group.stdout)?.trim().to_owned())));
        }
    }
    Err("it does not run as root, and there is no user `postgres` or `nobody` to run it as".into())
}

fn as_user(other: &Option<(String, String)>, program: &Path) -> Command {
    let Some((user, group)) = other else { return Command::new(program) };
    let mut command = Command::new("setpriv");
    command.arg(format!("--reuid={user}")).arg(format!("--regid={group}")).arg("--clear-groups").arg(program);
    command
}

/// Runs `server` below a guard that sends it `signal` and removes `root` when this process has ended.
fn guarded(server: &Command, root: &Path, signal: &str) -> Result<Child> {
    const GUARD: &str = r#"
        root=$1 signal=$2; shift 2; exec 3<&0
        "$@" </dev/null >"$root/log" 2>&1 3<&- &
        server=$!
        read -r _ <&3
        kill -s "$signal" $server; wait $server; rm -rf "$root""#;
    let mut guard = Command::new("sh");
    guard.args(["-c", GUARD, "guard"]).arg(root).arg(signal).arg(server.get_program()).args(server.get_args());
    guard.current_dir("/").stdin(Stdio::piped()).stdout(Stdio::null()).stderr(Stdio::null()).process_group(0);
    Ok(guard.spawn()?)
}

fn wait_until(root: &Path, ready: impl Fn() -> bool) -> Result<()> {
    let began = Instant::now();
    while began.elapsed() < Duration::from_secs(60) {
        if ready() {
            return Ok(());
        }
        std::thread::sleep(Duration::from_millis(50));
    }
    let log = std::fs::read_to_string(root.join("log")).unwrap_or_default();
    let end: Vec<&str> = log.lines().rev().take(8).collect();
    Err(format!("it did not start within a minute:\n{}", end.into_iter().rev().collect::<Vec<_>>().join("\n")).into())
}

/// A directory others can pass through, because PostgreSQL may run as another user. Not in `TMPDIR`: the path of a
/// socket has room for about 100 bytes.
fn private_directory(name: &str) -> Result<PathBuf> {
    let directory = tempfile::Builder::new().prefix(&format!("latchlift-{name}-")).tempdir_in("/tmp")?.keep();
    std::fs::set_permissions(&directory, std::fs::Permissions::from_mode(0o755))?;
    Ok(directory)
}

/// A port nobody listens at right now.
pub(crate) fn free_port() -> Result<u16> {
    Ok(TcpListener::bind(("127.0.0.1", 0))?.local_addr()?.port())
}

fn user_name() -> Result<String> {
    Ok(String::from_utf8(Command::new("id").arg("-un").output()?.stdout)?.trim().to_owned())
}

fn program(name: &str, elsewhere: &[&str]) -> Result<PathBuf> {
    let path = std::env::var_os("PATH").unwrap_or_default();
    let mut places = std::env::split_paths(&path).chain(elsewhere.iter().map(PathBuf::from));
    let found = places.find_map(|place| Some(place.join(name)).filter(|file| file.is_file()));
    found.ok_or_else(|| format!("there is no program `{name}`").into())
}

/// Debian keeps PostgreSQL's own programs by version: the newest.
fn postgres_program(name: &str) -> Result<PathBuf> {
    let versions = std::fs::read_dir("/usr/lib/postgresql").into_iter().flatten().flatten();
    let mut found: Vec<PathBuf> = versions.map(|version| version.path().join("bin")).collect();
    found.sort_by_key(|path| path.iter().nth(4).and_then(|version| version.to_str()?.parse::<u32>().ok()));
    let places: Vec<String> = found.iter().rev().map(|path| path.display().to_string()).collect();
    program(name, &places.iter().map(String::as_str).collect::<Vec<_>>())
}

fn succeeded(name: &str, output: &Output) -> Result<()> {
    if output.status.success() {
        return Ok(());
    }
    let said = String::from_utf8_lossy(&output.stderr);
    Err(format!("{name} failed: {}", said.trim()).into())
}
