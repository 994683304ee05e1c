//! Everybody joins one channel at once, and must be introduced to everybody.

use std::{
    collections::{HashMap, HashSet},
    iter,
    ops::Add,
    time::Instant,
};

use super::{GLANCE, gather, microseconds};
use crate::{
    Result,
    dialect::{Heard, Introduction, Told},
    fleet::Fleet,
    inbox::Inbox,
    meter::{Cost, Meter},
    report::Figure,
    server::Server,
    validity,
};

pub(super) fn run(server: &Server, members: usize, times: usize) -> Result<Vec<Figure>> {
    let dialect = server.dialect;
    let joins_by_path = dialect.join("").is_none();
    // With many a server, one can be in one channel only, so nobody joins twice. With some, one joins by connecting.
    let mut fleet = if joins_by_path {
        Fleet::new(server.address, dialect)?
    } else {
        gather::connect(server, members * times)?
    };
    let notices = match dialect.tells() {
        Told::Both => members * (members - 1),
        Told::Older => members * (members - 1) / 2,
        Told::Nobody => return Err("nobody is told of anybody".into()),
    };
    let mut inbox = Inbox::default();
    let (mut time, mut costs) = (Vec::new(), Vec::new());
    for storm in 0..times {
        let first = storm * members;
        let channel = format!("storm-{storm}");
        let mut ids = vec![None; members];
        let mut told = vec![Vec::new(); members];
        let meter = Meter::start(server)?;
        let start = Instant::now();
        for client in first..first + members {
            match dialect.join(&channel) {
                Some(join) => fleet.send(client, join.as_bytes())?,
                None => fleet.connect(&channel)?,
            }
        }
        let mut missing = notices;
        while missing > 0 || (joins_by_path && ids.contains(&None)) {
            fleet.receive(&mut inbox, GLANCE)?;
            for (client, text) in inbox.frames() {
                let unexpected = || gather::unexpected(client, text);
                let member = client.checked_sub(first).ok_or_else(unexpected)?;
                let told = told.get_mut(member).ok_or_else(unexpected)?;
                // If a client hears of itself, it does so first. The rest is kept, to be looked into when the clock stands.
                let of_itself = told.is_empty().then(|| dialect.hear(str::from_utf8(text).ok()?)).flatten();
                match of_itself {
                    Some(Heard::Joined) => {}
                    Some(Heard::Welcome(id)) if joins_by_path => ids[member] = Some(id),
                    Some(Heard::Welcome(_) | Heard::Introduced(_) | Heard::Left) | None => {
                        told.push(text.to_vec());
                        missing = missing.checked_sub(1).ok_or_else(unexpected)?;
                    }
                }
            }
        }
        time.push(start.elapsed());
        costs.push(meter.stop()?);
        fleet.settle(&mut inbox)?;
        let introductions = told.iter().enumerate().map(|(member, texts)| {
            let introduction = |text: &Vec<u8>| match dialect.hear(str::from_utf8(text)?) {
                Some(Heard::Introduced(introduction)) => Ok(introduction),
                Some(Heard::Welcome(_) | Heard::Joined | Heard::Left) | None => {
                    Err(gather::unexpected(first + member, text))
                }
            };
            texts.iter().map(introduction).collect()
        });
        let introductions = introductions.collect::<Result<Vec<_>>>()?;
        if dialect.tells() == Told::Older {
            let ids: Vec<_> = ids.into_iter().flatten().collect();
            verify_older(&ids, &introductions)?;
        } else {
            verify(&introductions)?;
        }
    }
    let mut cpu: Vec<_> = costs.iter().map(|cost| cost.cpu).collect();
    time.sort_unstable();
    cpu.sort_unstable();
    // Both of a pair are told.
    let introductions = members * (members - 1);
    let milliseconds = |sorted: &[_]| microseconds(sorted[sorted.len() / 2]) / 1e3;
    let mut figures = vec![
        Figure::new("time until all are introduced", "ms", milliseconds(&time)),
        Figure::new("CPU", "ms", milliseconds(&cpu)),
        Figure::new("CPU per introduction", "µs", milliseconds(&cpu) * 1e3 / introductions as f64),
    ];
    let cost = costs.into_iter().reduce(Cost::add).unwrap_or_default();
    figures.extend(validity::of_storm(&cost));
    Ok(figures)
}

/// Each pair is introduced once, on both sides, with one offerer and the same connection id. Nobody is told its own peer id:
/// it is the one that it was not told.
fn verify(told: &[Vec<Introduction>]) -> Result<()> {
    let members = told.len();
    let mut numbers = HashMap::new();
    for Introduction { peer_id, .. } in told.iter().flatten() {
        let next = numbers.len();
        numbers.entry(&**peer_id).or_insert(next);
    }
    if numbers.len() != members {
        return Err(format!("{} peer ids for {members} members", numbers.len()).into());
    }
    // By the number of the one who was told, and the number of the one who it was told of.
    let mut known: Vec<Vec<Option<&Introduction>>> = vec![Vec::new(); members];
    for introductions in told {
        let mut others = vec![None; members];
        for introduction in introductions {
            let place = &mut others[numbers[&*introduction.peer_id]];
            if place.replace(introduction).is_some() {
                return Err(format!("told twice: {introduction:?}").into());
            }
        }
        let own = others.iter().position(Option::is_none).ok_or("somebody was told of itself")?;
        if !std::mem::replace(&mut known[own], others).is_empty() {
            return Err(format!("two were not told of the same one, number {own}").into());
        }
    }
    for (a, b) in (0..members).flat_map(|b| (0..b).map(move |a| (a, b))) {
        let (Some(ab), Some(ba)) = (&known[a][b], &known[b][a]) else {
            return Err(format!("members {a} and {b} are not introduced").into());
        };
        if ab.connection_id != ba.connection_id || ab.should_create_offer == ba.should_create_offer {
            return Err(format!("members {a} and {b} are not told the same: {ab:?}, {ba:?}").into());
        }
    }
    Ok(())
}

/// Of each two, one is told of the other one, once. The ids are those that the members are told of themselves.
fn verify_older(ids: &[String], told: &[Vec<Introduction>]) -> Result<()> {
    let numbers: HashMap<_, _> = ids.iter().zip(0..).collect();
    let mut met = HashSet::new();
    for (own, introduction) in iter::zip(0.., told).flat_map(|(own, told)| iter::zip(iter::repeat(own), told))
    {
        let other: usize = *numbers.get(&introduction.peer_id).ok_or("somebody was told of a stranger")?;
        if own == other || !met.insert([own.min(other), own.max(other)]) {
            return Err(format!("told twice, or of itself: {introduction:?}").into());
        }
    }
    let pairs = ids.len() * (ids.len() - 1) / 2;
    if met.len() == pairs { Ok(()) } else { Err(format!("{} of {pairs} pairs have met", met.len()).into()) }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// What three are told by a server that does it well.
    fn told() -> Vec<Vec<Introduction>> {
        let introduction = |own: usize, other: usize| Introduction {
            connection_id: own.max(other).to_string(),
            ..Introduction::of(&format!("peer-{other}"), own < other)
        };
        let others = |own: usize| (0..3).filter(move |other| *other != own);
        (0..3).map(|own| others(own).map(|other| introduction(own, other)).collect()).collect()
    }

    #[test]
    fn each_is_introduced_to_each_other_one_once() {
        verify(&told()).unwrap();
        let spoil: [fn(&mut Vec<Vec<Introduction>>); 5] = [
            |told| drop(told[0].pop()),
            |told| told[0][1].peer_id = "peer-1".to_owned(),
            |told| told[0][1].peer_id = "peer-0".to_owned(),
            |told| told[2][0].connection_id = "3".to_owned(),
            |told| told[1][0].should_create_offer = true,
        ];
        for (index, spoil) in spoil.into_iter().enumerate() {
            let mut told = told();
            spoil(&mut told);
            assert!(verify(&told).is_err(), "{index}");
        }
    }
    #[test]
    fn the_older_one_of_each_two_is_told_once() {
        let ids = ["peer-0", "peer-1", "peer-2"].map(str::to_owned);
        let told_older = || {
            let mut told = told();
            told.iter_mut().for_each(|told| told.retain(|introduction| introduction.should_create_offer));
            told
        };
        verify_older(&ids, &told_older()).unwrap();
        let spoil: [fn(&mut Vec<Vec<Introduction>>); 4] = [
            |told| drop(told[0].pop()),
            |told| told[0][1].peer_id = "peer-1".to_owned(),
            |told| told[0][1].peer_id = "peer-0".to_owned(),
            |told| told[0][1].peer_id = "peer-3".to_owned(),
        ];
        for (index, spoil) in spoil.into_iter().enumerate() {
            let mut told = told_older();
            spoil(&mut told);
            assert!(verify_older(&ids, &told).is_err(), "{index}");
        }
    }
}
