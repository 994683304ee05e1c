//! The language of the tests: a conversation goes in as a script, and what follows from it comes out as lines.
//!
//! Each line of a script is one statement, or several between slashes. A peer that speaks for the first time is
//! connected first; its name is its id.
//!
//! | statement | what happens |
//! |---|---|
//! | `a: join lobby {"name":"Ann"} #1` | a asks for a seat; userdata and request id may be left out |
//! | `a b c: part lobby` | all three do, one after the other |
//! | `a: set lobby 2`, `a: say lobby "hi"`, `a: tell b "hi"` | `setUserdata`, `send` to the channel, `send` to the peer |
//! | `a: relay offer b @lobby attempt 1` | with the connection id a was told last for b in lobby; or `@7.1` |
//! | `a: match chat {"name":"Ann"}`, `a: match chat leaving ~1`, `a: cancel chat` | `match` in the pool, `cancelMatch` |
//! | `a: relay candidate b`, `a: bye`, `a: rubbish` | the last is a frame that the codec refuses |
//! | `a: rubbish x20` | twenty times |
//! | `a is "ann@example.org"` | connects a with an identity |
//! | `a detaches`, `a resumes`, `a ends kicked` | its socket is lost, is back, its session is ended |
//! | `kick a lobby`, `publish lobby 1`, `publish to a 1` | what the embedder can do |
//! | `wait 15s` | time passes; each deadline on the way is served at its moment |
//! | `policy for duo: capacity 2, resident, unlisted` | what the policy answers; also `star, viewers b c`, `patience 10s`, `refuses "why"` |
//! | `policy for duo: is asked`, `policy allows a duo`, `policy denies a duo "why"` | it takes its time |
//! | `log holds`, `log commits`, `log refuses`, `log commits all`, `log flows` | the log takes its time, and is seen |
//! | `remote r joins lobby 1`, `remote r updates lobby 2`, `remote r parts lobby bye` | entries of another machine |
//! | `remote r matches chat ~r avoiding a`, `remote r widens chat`, `remote r cancels chat` | and those of a pool |
//! | `restarted` | the server has started again, and some may return |
//! | `a: return duo`, `a: pretend duo` | a join by somebody who has had a seat before the start; by one who only says so |
//! | `a: return stage as host`, `a: return stage as 3` | as the host of a star; by the third entry |
//! | `show events` | the outputs for the embedder, too |
//! | `show frames`, `show ids` | frames as they are on the wire; connection ids as they are, not their channel |
//! | `---` | nothing before this line is expected |

mod desk;
mod script;

use std::time::{Duration, Instant};

use expect_test::Expect;

pub(super) use self::desk::joined_lines;
use self::{
    desk::{Desk, Verdict},
    script::Statement,
};
use crate::{
    Entry, Epoch, ErrorCode, Hub, Input, Limits, LocalLog, PeerId, Place, Position, SessionId, Target,
    codec::{self, DecodeError},
};

/// Runs `script` and expects exactly these lines, whether the log commits at once or at the end of each line.
pub(super) fn check(script: &str, expected: Expect) {
    check_with(Limits::default(), script, expected);
}

pub(super) fn check_with(limits: Limits, script: &str, expected: Expect) {
    let speaks_of = |word| script::statements(script).any(|text| text.starts_with(word));
    let (log, remote) = (speaks_of("log "), speaks_of("remote "));
    let late = play(&limits, Pace::EndOfLine, script);
    if !log {
        let pace = if remote { Pace::EachInput } else { Pace::Local };
        assert_eq!(play(&limits, pace, script), late, "{pace:?} on the left, EndOfLine on the right");
    }
    expected.assert_eq(&late);
}

/// When the log commits what is appended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Pace {
    /// `LocalLog` does, at once.
    Local,
    /// After each input. Unlike `LocalLog` it takes the entries of other machines, too.
    EachInput,
    /// When the line of the script ends.
    EndOfLine,
}

/// Runs `script` and returns what has followed.
pub(super) fn play(limits: &Limits, pace: Pace, script: &str) -> String {
    let mut stage = Stage {
        hub: Hub::new(limits.clone(), Epoch(7)),
        now: Instant::now(),
        pace,
        local: LocalLog::default(),
        position: 0,
        log_is_held: false,
        desk: Desk::default(),
    };
    for line in script.lines() {
        for text in script::statements(line) {
            let (statement, times) = Statement::parse(text);
            (0..times).for_each(|_| stage.perform(&statement));
        }
        if !stage.log_is_held {
            stage.commit_all();
        }
    }
    stage.desk.transcript()
}

struct Stage {
    hub: Hub,
    now: Instant,
    pace: Pace,
    local: LocalLog,
    position: u64,
    log_is_held: bool,
    desk: Desk,
}

impl Stage {
    fn perform(&mut self, statement: &Statement<'_>) {
        match statement {
            Statement::Says { who, request, id } => {
                for name in who.split_whitespace() {
                    let session = self.connected(name, None);
                    self.say(session, &request.frame(id.clone(), name, &self.desk.connections));
                }
            }
            Statement::Is { who, identity } => {
                self.connected(who, Some(identity));
            }
            Statement::Detaches(who) => self.feed(Input::Detached { session: self.session(who) }),
            Statement::Resumes(who) => self.feed(Input::Resumed { session: self.session(who) }),
            Statement::Ends { who, reason } => {
                self.feed(Input::Disconnected { session: self.session(who), reason: *reason });
            }
            Statement::Kick { who, channel } => {
                self.feed(Input::Expelled { session: self.session(who), channel });
            }
            Statement::Publish { channel, data } => {
                self.feed(Input::Published { to: Target::Channel(channel), data: data.as_payload() });
            }
            Statement::PublishTo { who, data } => {
                let to = Target::Session(self.session(who));
                self.feed(Input::Published { to, data: data.as_payload() });
            }
            Statement::Wait(time) => self.wait(*time),
            Statement::PolicyFor { channel, rule } => {
                self.desk.policy.insert((*channel).to_owned(), rule.clone());
            }
            Statement::PolicyAnswers { who, channel, verdict } => {
                self.desk.decide(who, channel, verdict);
                self.answer_questions();
            }
            Statement::LogHolds => {
                assert_eq!(self.pace, Pace::EndOfLine, "such a script is run once");
                self.hold_log(true);
            }
            Statement::LogFlows => self.hold_log(false),
            Statement::LogCommits => self.commit_next(),
            Statement::LogCommitsAll => self.commit_all(),
            Statement::LogRefuses => {
                let (token, _, _) = self.desk.appended.pop_front().expect("something has been appended");
                self.feed(Input::Refused { token });
            }
            Statement::Remote { place, entry } => self.commit(place.clone(), entry.clone()),
            Statement::Restarted => self.feed(Input::Restarted),
            Statement::ShowEvents => self.desk.shows_events = true,
            Statement::ShowFrames => self.desk.shows_frames = true,
            Statement::ShowIds => self.desk.shows_ids = true,
            Statement::Forget => self.desk.forget(),
        }
    }

    fn feed(&mut self, input: Input<'_>) {
        let desk = &mut self.desk;
        if self.pace == Pace::Local {
            self.local.handle_input(&mut self.hub, self.now, input, |output| desk.note(&output));
        } else {
            self.hub.handle_input(self.now, input, |output| desk.note(&output));
        }
        self.answer_questions();
        if self.pace == Pace::EachInput {
            self.commit_all();
        }
    }

    /// Reads a frame as a driver does.
    fn say(&mut self, session: SessionId, text: &str) {
        match codec::decode(text, &codec::FrameLimits::default()) {
            Ok(frame) => self.feed(Input::Message { session, frame }),
            Err(DecodeError { code, id }) => self.feed(Input::Malformed { session, code, id }),
        }
    }

    fn answer_questions(&mut self) {
        while let Some((token, place, rule)) = self.desk.answers.pop_front() {
            let code = ErrorCode::Unauthorized;
            let grant = self.desk.grant(token, &place, &rule);
            match rule.verdict {
                Verdict::Allow => self.feed(Input::Authorized { token, grant }),
                Verdict::Refuse(why) => {
                    let message = why.as_deref().unwrap_or(code.message());
                    self.feed(Input::Denied { token, code, message });
                }
                Verdict::Ask => unreachable!("nobody has answered"),
            }
        }
    }

    /// Lets time pass. That a deadline moves forward when it is served keeps a driver from spinning.
    fn wait(&mut self, time: Duration) {
        let until = self.now + time;
        while let Some(deadline) = self.hub.poll_timeout().filter(|deadline| *deadline <= until) {
            self.now = deadline;
            self.feed(Input::Timeout);
            assert!(self.hub.poll_timeout().is_none_or(|next| next > deadline), "the deadline stands still");
            if !self.log_is_held {
                self.commit_all();
            }
        }
        self.now = until;
    }

    fn hold_log(&mut self, hold: bool) {
        self.log_is_held = hold;
        self.desk.shows_appends = hold;
    }

    fn commit_all(&mut self) {
        while !self.desk.appended.is_empty() {
            self.commit_next();
        }
    }

    fn commit_next(&mut self) {
        let (_, place, entry) = self.desk.appended.pop_front().expect("something has been appended");
        self.commit(place, entry);
    }

    /// Commits an entry as a log would that is not in this process.
    fn commit(&mut self, place: Place, entry: Entry) {
        let text = serde_json::to_string(&entry).unwrap();
        let read = serde_json::from_str(&text).unwrap();
        assert_eq!(entry, read, "{text}");
        self.position += 1;
        self.feed(Input::Committed { place, position: Position(self.position), entry: read });
    }

    fn session(&self, name: &str) -> SessionId {
        self.hub.session_of(name).unwrap_or_else(|| panic!("{name} has no session"))
    }

    /// The session of a peer; a new one with the smallest free number if it has none.
    fn connected(&mut self, name: &str, identity: Option<&str>) -> SessionId {
        if let Some(session) = self.hub.session_of(name) {
            return session;
        }
        let session = self.desk.take_number(name);
        let peer = PeerId::new(name).unwrap();
        self.feed(Input::Connected { session, peer, identity: identity.map(Into::into), namespace: None });
        session
    }
}
