use super::*;
use crate::error::Kind;
use crate::plugin::trust::Trust;

fn version(major: u32, minor: u32, patch: u32) -> Version {
    Version { major, minor, patch }
}

fn verdict(plugin: Option<Version>, host: Version) -> Option<Error> {
    check_version(Path::new("/usr/lib/latchlift/liblatchlift_homarr.so"), plugin, host).err()
}

#[test]
fn a_patch_release_apart_fits_either_way() {
    assert!(verdict(Some(version(0, 1, 0)), version(0, 1, 1)).is_none());
    assert!(verdict(Some(version(0, 1, 1)), version(0, 1, 0)).is_none());
    assert!(verdict(Some(version(1, 0, 0)), version(1, 3, 0)).is_none());
}

#[test]
fn another_series_is_refused_in_one_line_with_the_package_to_install() {
    let error = verdict(Some(version(0, 2, 0)), version(0, 1, 0)).unwrap();
    let file = "/usr/lib/latchlift/liblatchlift_homarr.so";
    assert_eq!(error.message, format!("plugin {file} speaks contract 0.2; this latchlift needs 0.1"));
    let series = api_version().series();
    let help = format!("install the plugin package of the same version: latchlift-plugin-homarr {series}.*");
    assert_eq!((error.kind, error.help), (Kind::Plugin, Some(help)));
    assert!(verdict(Some(version(0, 1, 0)), version(0, 2, 0)).is_some());
    assert!(verdict(Some(version(2, 0, 0)), version(1, 9, 0)).is_some());
    assert!(verdict(None, version(0, 1, 0)).is_some());
}

#[test]
fn a_library_that_is_no_plugin_is_refused_in_one_line() {
    // Any library this process has already loaded will do: no other file is sure to exist everywhere.
    let maps = std::fs::read_to_string("/proc/self/maps").unwrap();
    let library = maps.lines().filter_map(|line| line.split_whitespace().nth(5)).find(|path| path.contains(".so"));
    let path = Path::new(library.unwrap()).to_path_buf();
    let opened = Trust::of_this_process().unwrap().open(&path, None).unwrap();
    let error = load(&opened).err().unwrap();
    assert!(error.message.ends_with("is a library, but not a latchlift plugin"), "{error}");
}

#[test]
fn a_file_replaced_after_it_was_checked_is_refused() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("x.so");
    std::fs::write(&path, "first").unwrap();
    let opened = Trust::of_this_process().unwrap().open(&path, None).unwrap();
    assert!(same_file(&opened).is_ok());
    std::fs::write(dir.path().join("y.so"), "second").unwrap();
    std::fs::rename(dir.path().join("y.so"), &path).unwrap();
    assert!(same_file(&opened).unwrap_err().message.contains("was replaced"));
}

#[test]
fn a_plugin_that_ends_the_process_does_not_choose_the_exit_code() {
    const RUDE: &str = "LATCHLIFT_TEST_RUDE";
    if std::env::var_os(RUDE).is_some() {
        guard_exit();
        inside("/p/rude.so", || std::process::exit(0));
    }
    let this = "plugin::load::tests::a_plugin_that_ends_the_process_does_not_choose_the_exit_code";
    let mut again = std::process::Command::new(std::env::current_exe().unwrap());
    let ended = again.args(["--exact", this, "--nocapture"]).env(RUDE, "1").output().unwrap();
    assert_eq!(ended.status.code(), Some(8));
    let said = String::from_utf8_lossy(&ended.stderr).into_owned();
    assert!(said.contains("error: plugin /p/rude.so ended the process in the middle of a call"), "{said}");
}

#[test]
fn the_host_may_end_the_process_in_the_middle_of_a_call() {
    inside("/p/x.so", || {
        assert_eq!(RUNNING.get(), Some("/p/x.so"));
        outside(|| assert_eq!(RUNNING.get(), None));
        assert_eq!(RUNNING.get(), Some("/p/x.so"));
    });
    assert_eq!(RUNNING.get(), None);
}
