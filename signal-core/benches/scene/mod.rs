//! What is measured: the way of one frame through codec and hub, and what has to be so before it comes.

use crate::machine::{self, Machine, ROOM};

const JOIN: &str = r#"{"type":"join","channel":"lobby"}"#;
const PART: &str = r#"{"type":"part","channel":"lobby"}"#;

/// What the last member of a channel does.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Work {
    /// It joins: all are introduced to it, and it to all.
    Join,
    /// It parts.
    Part,
    /// It sends a candidate of 200 bytes to one of the others.
    Candidate,
    /// It sends a session description of 3 KB to one of the others.
    Description,
    /// It has new userdata, of which all are told.
    Update,
    /// It is the last stranger that the others have waited for: all meet, and each is introduced to each.
    Match,
}

/// A machine and what is done there again and again.
#[derive(Debug)]
pub(crate) struct Scene {
    machine: Machine,
    work: Work,
    members: usize,
    text: String,
}

impl Scene {
    /// Has done the work once already, with the outcome that it has to have.
    pub(crate) fn new(work: Work, members: usize) -> Self {
        let (machine, text) = match work {
            Work::Join => (Machine::with_members(members), JOIN.to_owned()),
            Work::Part => (Machine::with_members(members), PART.to_owned()),
            Work::Candidate => (Machine::with_members(members), machine::candidate(members)),
            Work::Description => (Machine::with_members(members), machine::description(members)),
            Work::Update => {
                let text =
                    r#"{"type":"setUserdata","channel":"lobby","userdata":{"name":"Ann","muted":true}}"#;
                (Machine::with_members(members), text.to_owned())
            }
            Work::Match => {
                (Machine::with_strangers(members), r#"{"type":"match","pool":"chess"}"#.to_owned())
            }
        };
        let mut scene = Self { machine, work, members, text };
        scene.prepare();
        (scene.machine.frames, scene.machine.deliveries) = (0, 0);
        scene.act();
        let others = members - 1;
        let expected = match work {
            Work::Join | Work::Part => (2 + others, 1 + 2 * others),
            Work::Candidate | Work::Description => (1, 1),
            Work::Update => (1, others),
            Work::Match => (members * (2 + others), members * (2 + others)),
        };
        assert_eq!((scene.machine.frames, scene.machine.deliveries), expected, "{work:?} of {members}");
        scene
    }

    /// Undoes the work, so that it can be done again.
    pub(crate) fn prepare(&mut self) {
        let last = self.members - 1;
        match self.work {
            Work::Join => self.machine.say(last, PART),
            Work::Part => self.machine.say(last, JOIN),
            Work::Candidate | Work::Description | Work::Update => {}
            Work::Match => {
                self.machine.say(last, &format!(r#"{{"type":"part","channel":"{ROOM}"}}"#));
                let again = format!(r#"{{"type":"match","pool":"chess","leave":"{ROOM}"}}"#);
                (0..last).for_each(|stranger| self.machine.say(stranger, &again));
            }
        }
    }

    /// Does the work.
    pub(crate) fn act(&mut self) {
        self.machine.say(self.members - 1, &self.text);
    }
}
