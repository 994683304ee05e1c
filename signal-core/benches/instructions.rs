//! The same work as in `fanout`, once and under a counter of instructions: `cargo xtask instructions` runs it in
//! Valgrind. Without an argument it names what it can do, with one it does it.
#![expect(clippy::print_stdout, reason = "the names are for whoever runs it")]

#[path = "../tests/machine/mod.rs"]
mod machine;
mod scene;

use std::{env, process::ExitCode};

use crate::scene::{Scene, Work};

const WORKS: [(&str, Work); 6] = [
    ("join", Work::Join),
    ("part", Work::Part),
    ("relay_candidate", Work::Candidate),
    ("relay_description", Work::Description),
    ("update", Work::Update),
    ("match", Work::Match),
];

const MEMBERS: [usize; 4] = [2, 8, 64, 512];

fn main() -> ExitCode {
    let wanted = env::args().nth(1).unwrap_or_default();
    for (name, work) in WORKS {
        for members in MEMBERS {
            let name = format!("{name}/{members}");
            if wanted.is_empty() {
                println!("{name}");
            } else if wanted == name {
                let mut scene = Scene::new(work, members);
                scene.prepare();
                measured(&mut scene);
                return ExitCode::SUCCESS;
            }
        }
    }
    if wanted.is_empty() { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}

/// Valgrind counts from entry to return; it knows the function by its name.
#[inline(never)]
fn measured(scene: &mut Scene) {
    scene.act();
}
