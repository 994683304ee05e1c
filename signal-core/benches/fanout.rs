//! From frame in to frame out, by the number of members: how long it takes, and what it allocates.

#[path = "../tests/machine/mod.rs"]
mod machine;
mod scene;

use std::cell::RefCell;

use divan::{AllocProfiler, Bencher};

use crate::scene::{Scene, Work};

const MEMBERS: [usize; 4] = [2, 8, 64, 512];

#[global_allocator]
static ALLOCATOR: AllocProfiler = AllocProfiler::system();

fn main() {
    divan::main();
}

#[divan::bench(args = MEMBERS, sample_size = 1, sample_count = 500)]
fn join(bencher: Bencher<'_, '_>, members: usize) {
    prepared(bencher, Work::Join, members);
}

#[divan::bench(args = MEMBERS, sample_size = 1, sample_count = 500)]
fn part(bencher: Bencher<'_, '_>, members: usize) {
    prepared(bencher, Work::Part, members);
}

#[divan::bench(args = MEMBERS, sample_size = 100)]
fn relay_candidate(bencher: Bencher<'_, '_>, members: usize) {
    repeated(bencher, Work::Candidate, members);
}

#[divan::bench(args = MEMBERS, sample_size = 100)]
fn relay_description(bencher: Bencher<'_, '_>, members: usize) {
    repeated(bencher, Work::Description, members);
}

#[divan::bench(args = MEMBERS, sample_size = 100)]
fn update(bencher: Bencher<'_, '_>, members: usize) {
    repeated(bencher, Work::Update, members);
}

/// As many strangers as are named meet at a time.
#[divan::bench(args = MEMBERS, sample_size = 1, sample_count = 20, name = "match")]
fn meet(bencher: Bencher<'_, '_>, members: usize) {
    prepared(bencher, Work::Match, members);
}

fn repeated(bencher: Bencher<'_, '_>, work: Work, members: usize) {
    let mut scene = Scene::new(work, members);
    bencher.bench_local(|| scene.act());
}

/// For samples of one, as it can only be done again once it is undone.
fn prepared(bencher: Bencher<'_, '_>, work: Work, members: usize) {
    let scene = RefCell::new(Scene::new(work, members));
    let prepare = || scene.borrow_mut().prepare();
    bencher.with_inputs(prepare).bench_local_values(|()| scene.borrow_mut().act());
}
