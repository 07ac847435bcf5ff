//! Prints a world whole, as `--from` reads it: `expand FILE`; or writes every world so, e.g. for fuzzing: `expand --all DIRECTORY`.
#![allow(clippy::unwrap_used, clippy::print_stdout)]

use std::path::Path;

use irsa_tests::world::{World, all_worlds, worlds_dir};

fn main() {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    match &arguments.iter().map(String::as_str).collect::<Vec<_>>()[..] {
        ["--all", directory] => {
            std::fs::create_dir_all(directory).unwrap();
            for file in all_worlds(&worlds_dir()).unwrap() {
                let name = format!("{}.{:?}.{}.yaml", file.check, file.case, file.name).to_lowercase();
                std::fs::write(Path::new(directory).join(name), World::load(&file.path).unwrap().stream())
                    .unwrap();
            }
        }
        [file] => print!("{}", World::load(Path::new(file)).unwrap().stream()),
        _ => println!("expand FILE, or expand --all DIRECTORY"),
    }
}
