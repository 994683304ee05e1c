//! What the machine is asked for, and what is said about it.

use std::{fs, num::NonZeroU64, path::Path, process::Command, thread, time::Duration};

use rustix::{
    process::{Resource, Rlimit, getrlimit, setrlimit},
    thread::{CpuSet, sched_setaffinity, set_current_timer_slack},
};

use crate::Result;

/// Allows so many open files, here and in the servers that are started. What was raised, if anything was.
pub(crate) fn allow_files(needed: u64) -> Result<Option<String>> {
    let Rlimit { current, maximum } = getrlimit(Resource::Nofile);
    if current.is_none_or(|current| current >= needed) {
        return Ok(None);
    }
    if let Some(maximum) = maximum.filter(|maximum| *maximum < needed) {
        return Err(format!("{needed} files must be open, and RLIMIT_NOFILE allows {maximum}").into());
    }
    setrlimit(Resource::Nofile, Rlimit { current: maximum, maximum })?;
    let number = |limit: Option<u64>| limit.map_or("unlimited".to_owned(), |limit| limit.to_string());
    Ok(Some(format!("RLIMIT_NOFILE from {} to {}", number(current), number(maximum))))
}

/// How many files a process may have open at most, if there is a bound.
pub(crate) fn most_files() -> Option<u64> {
    getrlimit(Resource::Nofile).maximum
}

/// Allows this process no more than so many open files.
pub(crate) fn allow_only_files(number: u64) -> Result<()> {
    let Rlimit { current: _, maximum } = getrlimit(Resource::Nofile);
    Ok(setrlimit(Resource::Nofile, Rlimit { current: Some(number), maximum })?)
}

/// Keeps this thread on one CPU and lets it wake up on time.
pub(crate) fn settle_thread(cpu: Option<usize>) -> Result<()> {
    set_current_timer_slack(NonZeroU64::new(1))?;
    if let Some(cpu) = cpu {
        let mut set = CpuSet::new();
        set.set(cpu);
        sched_setaffinity(None, &set)?;
    }
    Ok(())
}

/// The CPU time of a thread, by its folder in `/proc`.
pub(crate) fn cpu_time(task: &Path) -> Result<Duration> {
    let statistics = fs::read_to_string(task.join("schedstat"))?;
    let nanoseconds = statistics.split_whitespace().next().ok_or("an empty schedstat")?;
    Ok(Duration::from_nanos(nanoseconds.parse()?))
}

/// That of this thread.
pub(crate) fn own_cpu_time() -> Result<Duration> {
    cpu_time(Path::new("/proc/thread-self"))
}

pub(crate) fn cpus() -> usize {
    thread::available_parallelism().map_or(1, usize::from)
}

/// The load average of the last minute.
pub(crate) fn load() -> String {
    let loads = fs::read_to_string("/proc/loadavg").unwrap_or_default();
    loads.split_whitespace().next().unwrap_or("?").to_owned()
}

pub(crate) fn description() -> String {
    let read = |path: &str| fs::read_to_string(path).unwrap_or_default();
    let cpu_info = read("/proc/cpuinfo");
    let model = cpu_info.lines().find_map(|line| line.strip_prefix("model name")?.split_once(": "));
    let model = model.map_or("unknown", |(_, model)| model);
    format!("{} CPUs ({model}), Linux {}", cpus(), read("/proc/sys/kernel/osrelease").trim())
}

/// The commit that is checked out, with a mark if files differ from it.
pub(crate) fn commit() -> String {
    ask("git", &["describe", "--always", "--dirty", "--exclude=*"])
}

/// Today.
pub(crate) fn date() -> String {
    ask("date", &["-u", "+%F"])
}

fn ask(program: &str, arguments: &[&str]) -> String {
    let output = Command::new(program).args(arguments).output();
    let answer = output.map(|output| String::from_utf8_lossy(&output.stdout).trim().to_owned());
    answer.ok().filter(|answer| !answer.is_empty()).unwrap_or_else(|| "unknown".to_owned())
}
