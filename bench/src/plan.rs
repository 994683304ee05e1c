//! Which workloads are run, and on which servers.

use std::{collections::BTreeMap, time::Duration};

use crate::{Arguments, rivals::Rival, server::Kind, workload::Workload};

pub(crate) fn workloads(arguments: &Arguments) -> Vec<Workload> {
    let mut workloads = match (arguments.smoke, arguments.promises) {
        (true, _) => smoke(),
        (false, true) => promised(),
        (false, false) => compared(arguments),
    };
    workloads.retain(|workload| arguments.only.as_ref().is_none_or(|only| workload.name().starts_with(only)));
    workloads
}

/// Ours, the floor, and those of the rivals that can be installed here, for so many connections at once. What they are, which of their bounds are
/// raised, and why others are left out, is noted.
pub(crate) fn servers(rivals: &[Rival], connections: usize, notes: &mut Vec<String>) -> Vec<Kind> {
    let mut kinds: Vec<_> = Kind::OURS.into_iter().chain([Kind::Floor]).collect();
    for rival in rivals.iter().copied() {
        match rival.install() {
            Ok(version) => {
                kinds.push(Kind::Rival(rival));
                notes.push(version);
                notes.extend(rival.raised(connections).map(|raised| format!("raised: {raised}")));
            }
            Err(error) => notes.push(format!("{} is left out: {error}", rival.name())),
        }
    }
    kinds
}

/// Which bounds of our servers are raised, and for which workloads.
pub(crate) fn raised_bounds(workloads: &[Workload]) -> Vec<String> {
    let mut raised = BTreeMap::<_, Vec<_>>::new();
    for workload in workloads {
        for bound in workload.setup().raised() {
            raised.entry(bound).or_default().push(workload.name());
        }
    }
    raised.into_iter().map(|(bound, names)| format!("raised: {bound}, for: {}", names.join("; "))).collect()
}

fn compared(arguments: &Arguments) -> Vec<Workload> {
    let Arguments { connections, pairs, calls, rate, .. } = *arguments;
    let time = Duration::from_secs(arguments.seconds.into());
    vec![
        Workload::Idle { connections },
        Workload::Call { calls },
        Workload::Persistent { pairs, calls },
        Workload::Relay { pairs, time },
        Workload::Paced { pairs, rate, time },
        Workload::Storm { members: 300, times: 3 },
    ]
}

fn smoke() -> Vec<Workload> {
    let time = Duration::from_millis(500);
    vec![
        // With fewer, what the server needs once would weigh too much.
        Workload::Idle { connections: 2_000 },
        Workload::Call { calls: 100 },
        Workload::Persistent { pairs: 20, calls: 100 },
        Workload::Relay { pairs: 20, time },
        Workload::Paced { pairs: 20, rate: 1000, time },
        Workload::Storm { members: 32, times: 1 },
        Workload::Storm { members: 100, times: 1 },
        Workload::Churn { channels: 1000 },
        Workload::Slow { readers: 2, pairs: 20, rate: 1000, time: 2 * time },
    ]
}

fn promised() -> Vec<Workload> {
    let time = Duration::from_secs(3);
    vec![
        Workload::Idle { connections: 10_000 },
        Workload::Churn { channels: 1_000_000 },
        Workload::Slow { readers: 16, pairs: 200, rate: 10_000, time },
    ]
}
