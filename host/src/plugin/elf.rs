//! Whether a file is a whole shared library for this machine.
//!
//! The loader maps a library before it looks at it: a truncated one kills the process with SIGBUS, and one for another
//! machine is reported as "no such file". Both can be told from the headers.

use super::refused;
use super::trust::Opened;
use crate::error::{Error, Kind, Result};
use std::fs::File;
use std::os::unix::fs::FileExt;
use std::path::Path;

/// The longest header of the two classes.
const HEADER: usize = 64;

/// `e_type` of a shared library, and of an executable that may be loaded anywhere.
const SHARED: u64 = 3;

/// `p_type` of a part that is mapped.
const MAPPED: u64 = 1;

/// Where in a header of each class a number is, and how many bytes it has.
struct Layout {
    program_offset: (usize, usize),
    section_offset: (usize, usize),
    program_size: (usize, usize),
    program_count: (usize, usize),
    section_size: (usize, usize),
    section_count: (usize, usize),
    part_offset: (usize, usize),
    part_length: (usize, usize),
}

const BITS_32: Layout = Layout {
    program_offset: (28, 4),
    section_offset: (32, 4),
    program_size: (42, 2),
    program_count: (44, 2),
    section_size: (46, 2),
    section_count: (48, 2),
    part_offset: (4, 4),
    part_length: (16, 4),
};

const BITS_64: Layout = Layout {
    program_offset: (32, 8),
    section_offset: (40, 8),
    program_size: (54, 2),
    program_count: (56, 2),
    section_size: (58, 2),
    section_count: (60, 2),
    part_offset: (8, 8),
    part_length: (32, 8),
};

/// Checks a plugin's library before it is loaded.
///
/// # Errors
/// It is not a shared library, is for another machine, or is shorter than its headers say.
pub(super) fn check(opened: &Opened) -> Result<()> {
    let own = File::open("/proc/self/exe").and_then(|file| read(&file, 0, HEADER));
    let own = own.map_err(|why| Error::new(Kind::Plugin, format!("cannot read the latchlift executable: {why}")))?;
    check_like(&opened.path, &opened.file, opened.metadata.len(), &own)
}

/// Checks `file` to be a library for the machine that the header `own` is for.
fn check_like(path: &Path, file: &File, size: u64, own: &[u8]) -> Result<()> {
    let unreadable = |why: std::io::Error| refused(path, format!("cannot be read: {why}"));
    let header = read(file, 0, HEADER).map_err(unreadable)?;
    let layout = match_machine(&header, own).map_err(|why| refused(path, why))?;
    let part = |place: (usize, usize)| number(&header, place);
    let program = (part(layout.program_offset), part(layout.program_count), part(layout.program_size));
    let section = (part(layout.section_offset), part(layout.section_count), part(layout.section_size));
    let truncated = || {
        refused(path, format!("is truncated: {size} bytes are not all of it"))
            .help("install the plugin's package again")
    };
    if !table_fits(program, size) || !table_fits(section, size) {
        return Err(truncated());
    }
    let (start, count, each) = program;
    let table = read(file, start, (count * each) as usize).map_err(unreadable)?;
    match table.chunks_exact((each as usize).max(1)).all(|part| part_fits(part, layout, size)) {
        true => Ok(()),
        false => Err(truncated()),
    }
}

/// The layout of a header that is for the same machine as `own`, or what is wrong with it.
fn match_machine(header: &[u8], own: &[u8]) -> std::result::Result<&'static Layout, String> {
    if !header.starts_with(b"\x7fELF") {
        return Err("is not a library: it has no ELF header".to_owned());
    }
    let layout = if header.get(4) == Some(&1) { &BITS_32 } else { &BITS_64 };
    if header.len() < layout.section_count.0 + 2 {
        return Err(format!("is truncated: {} bytes are not even its header", header.len()));
    }
    // Class, byte order and machine: numbers may be read in our own order only after this.
    if header[4..6] != own[4..6] || header[18..20] != own[18..20] {
        return Err(format!("is for {}; this latchlift runs on {}", machine(header), machine(own)));
    }
    match number(header, (16, 2)) {
        SHARED => Ok(layout),
        _ => Err("is not a shared library".to_owned()),
    }
}

/// Whether a table (start, entries, bytes of each) lies within the file.
fn table_fits((start, count, each): (u64, u64, u64), size: u64) -> bool {
    start.checked_add(count * each).is_some_and(|end| end <= size)
}

/// Whether what a program header maps is in the file.
fn part_fits(part: &[u8], layout: &Layout, size: u64) -> bool {
    let long_enough = part.len() >= layout.part_length.0 + layout.part_length.1;
    let end = || number(part, layout.part_offset).checked_add(number(part, layout.part_length));
    long_enough && (number(part, (0, 4)) != MAPPED || end().is_some_and(|end| end <= size))
}

/// A number in this machine's byte order.
fn number(bytes: &[u8], (at, length): (usize, usize)) -> u64 {
    let mut digits = [0; 8];
    let place = if cfg!(target_endian = "little") { 0 } else { 8 - length };
    digits[place..place + length].copy_from_slice(&bytes[at..at + length]);
    u64::from_ne_bytes(digits)
}

/// At most `length` bytes from `start`.
fn read(file: &File, start: u64, length: usize) -> std::io::Result<Vec<u8>> {
    let mut bytes = vec![0; length];
    let mut filled = 0;
    while filled < length {
        match file.read_at(&mut bytes[filled..], start + filled as u64)? {
            0 => break,
            more => filled += more,
        }
    }
    bytes.truncate(filled);
    Ok(bytes)
}

/// The machine a header is for, in words.
fn machine(header: &[u8]) -> String {
    let big = header[5] == 2;
    let bytes = [header[18], header[19]];
    let bits = if header[4] == 1 { 32 } else { 64 };
    match if big { u16::from_be_bytes(bytes) } else { u16::from_le_bytes(bytes) } {
        3 => "32-bit x86".to_owned(),
        20 | 21 => format!("{bits}-bit POWER"),
        22 => format!("{bits}-bit S/390"),
        40 => "32-bit ARM".to_owned(),
        62 => "x86-64".to_owned(),
        183 => "64-bit ARM".to_owned(),
        243 => format!("{bits}-bit RISC-V"),
        258 => "LoongArch".to_owned(),
        other => format!("{bits}-bit machine number {other}"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::io::Write;

    /// The start of the header of a 64-bit x86 library, in this machine's byte order so that the tests run anywhere.
    fn own() -> Vec<u8> {
        let order = if cfg!(target_endian = "little") { 1 } else { 2 };
        let mut bytes = vec![0x7f, b'E', b'L', b'F', 2, order, 1, 0, 0, 0, 0, 0, 0, 0, 0, 0];
        bytes.extend(3u16.to_ne_bytes());
        bytes.extend(62u16.to_ne_bytes());
        bytes
    }

    /// A library of 200 bytes: header, one mapped part (all of it), a section table at the end.
    fn library() -> Vec<u8> {
        let mut bytes = own();
        bytes.resize(200, 0);
        let mut put = |at: usize, value: &[u8]| bytes[at..at + value.len()].copy_from_slice(value);
        put(32, &64u64.to_ne_bytes());
        put(40, &136u64.to_ne_bytes());
        put(54, &56u16.to_ne_bytes());
        put(56, &1u16.to_ne_bytes());
        put(58, &64u16.to_ne_bytes());
        put(60, &1u16.to_ne_bytes());
        put(64, &1u32.to_ne_bytes());
        put(64 + 32, &200u64.to_ne_bytes());
        bytes
    }

    fn verdict(bytes: &[u8]) -> String {
        let mut file = tempfile::tempfile().unwrap();
        file.write_all(bytes).unwrap();
        match check_like(Path::new("/p/x.so"), &file, bytes.len() as u64, &own()) {
            Ok(()) => String::new(),
            Err(error) => {
                assert_eq!(error.kind, Kind::Plugin);
                error.message
            }
        }
    }

    #[test]
    fn a_whole_library_passes() {
        assert_eq!(verdict(&library()), "");
    }

    #[test]
    fn a_library_cut_off_anywhere_is_refused() {
        for length in 0..200 {
            assert_ne!(verdict(&library()[..length]), "", "cut at {length}");
        }
        assert_eq!(verdict(&library()[..199]), "plugin /p/x.so is truncated: 199 bytes are not all of it");
        assert_eq!(verdict(&library()[..30]), "plugin /p/x.so is truncated: 30 bytes are not even its header");
    }

    #[test]
    fn a_library_without_section_headers_is_measured_by_what_it_maps() {
        let mut bytes = library();
        bytes[40..48].fill(0);
        bytes[60..62].fill(0);
        assert_eq!(verdict(&bytes), "");
        assert!(verdict(&bytes[..150]).contains("truncated"));
    }

    #[test]
    fn numbers_that_overflow_are_refused() {
        for at in [32, 40, 64 + 8, 64 + 32] {
            let mut bytes = library();
            bytes[at..at + 8].fill(0xff);
            assert!(verdict(&bytes).contains("truncated"), "at {at}");
        }
    }

    #[test]
    fn another_machine_is_named() {
        let mut arm = library();
        arm[18..20].copy_from_slice(&183u16.to_ne_bytes());
        assert_eq!(verdict(&arm), "plugin /p/x.so is for 64-bit ARM; this latchlift runs on x86-64");
        let mut old = library();
        old[4] = 1;
        old[18..20].copy_from_slice(&3u16.to_ne_bytes());
        assert_eq!(verdict(&old), "plugin /p/x.so is for 32-bit x86; this latchlift runs on x86-64");
        let mut big = library();
        (big[5], big[18], big[19]) = (2, 0, 22);
        assert_eq!(verdict(&big), "plugin /p/x.so is for 64-bit S/390; this latchlift runs on x86-64");
    }

    #[test]
    fn text_and_objects_are_not_libraries() {
        assert_eq!(verdict(b"app = \"homarr\""), "plugin /p/x.so is not a library: it has no ELF header");
        assert_eq!(verdict(b""), "plugin /p/x.so is not a library: it has no ELF header");
        let mut object = library();
        object[16..18].copy_from_slice(&1u16.to_ne_bytes());
        assert_eq!(verdict(&object), "plugin /p/x.so is not a shared library");
    }

    #[test]
    fn the_running_program_is_whole_and_for_this_machine() {
        let path = std::env::current_exe().unwrap();
        let file = File::open(&path).unwrap();
        let size = file.metadata().unwrap().len();
        let own = read(&file, 0, HEADER).unwrap();
        check_like(&path, &file, size, &own).unwrap();
        assert!(check_like(&path, &file, size - 1, &own).unwrap_err().message.contains("truncated"));
    }
}
