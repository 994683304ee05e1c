//! What a client makes of `welcome`: its session goes on, or it begins again.

use std::borrow::Cow;

use signal_core::{ClientMessage, ServerMessage};

use super::{
    client::{Client, Line},
    session::Session,
    view::Asked,
};

impl Client {
    pub(super) fn welcomed(&mut self, welcome: &ServerMessage<'_>, life: u32) {
        let ServerMessage::Welcome { peer_id, resumed, received, resume, .. } = welcome else { return };
        let line = std::mem::replace(&mut self.line, Line::Gone);
        if let Line::Greeting { end, .. } = line {
            self.line = Line::Open { end };
        }
        (self.tries, self.acknowledge_at, self.replaces) = (0, None, None);
        if *resumed {
            assert!(!self.is_deluded, "it claims what cannot be");
            let kept = self.with_session(|session| {
                assert_eq!((session.life, &*session.peer), (life, &**peer_id), "it is another session");
                assert!(!session.is_over, "it has ended");
                session.acknowledged(*received);
                session.tokens.push(resume.token.to_string());
                session.unacknowledged = 0;
                session.kept.iter().map(|(_, text)| text.clone()).collect::<Vec<_>>()
            });
            kept.expect("it has asked for its session").into_iter().for_each(|text| self.say(text));
        } else {
            assert_eq!(*received, 0);
            let before = self.session.take();
            self.begin(peer_id, &resume.token, life);
            if let Some(before) = before {
                self.check_that_nothing_is_left(before, peer_id, life);
                self.join_again(before, life);
            }
        }
        self.is_deluded = false;
    }

    fn begin(&mut self, peer: &str, token: &str, life: u32) {
        let mut book = self.stage.book();
        let number = book.sessions.len();
        book.sessions.push(Session {
            number,
            life,
            peer: peer.to_owned(),
            tokens: vec![token.to_owned()],
            ..Session::default()
        });
        self.session = Some(number);
    }

    /// Of a session that does not go on nothing is left.
    fn check_that_nothing_is_left(&self, before: usize, peer: &str, life: u32) {
        let signaling = self.stage.signaling();
        let mut book = self.stage.book();
        let now = book.desk.life;
        let session = &mut book.sessions[before];
        session.is_over = true;
        if session.life == life {
            assert_ne!(session.peer, peer, "a session that has ended gives away its id");
            let peers = signaling.filter(|_| now == life).map(|signaling| signaling.peers());
            let is_left = peers.is_some_and(|peers| peers.iter().any(|left| left.as_str() == session.peer));
            assert!(!is_left, "{} is told that its session is over, and it is not", session.peer);
        } else {
            let keeps_id = self.stage.plan.has_keys;
            assert_eq!(session.peer == peer, keeps_id, "{} comes back as {peer}", session.peer);
        }
    }

    /// Joins all channels of an earlier session, with the seats that it has had there.
    fn join_again(&self, before: usize, life: u32) {
        let (channels, peer) = {
            let book = self.stage.book();
            let before = &book.sessions[before];
            let is_of_old = before.life < life;
            let seats = before.view.channels.keys().filter_map(|channel| {
                let is_wanted =
                    !before.view.asked.values().any(|asked| *asked == Asked::Part(channel.clone()));
                let seat = before.view.seats.get(channel).filter(|_| is_of_old).cloned();
                let is_open = !channel.starts_with('~') || seat.is_some();
                (is_wanted && is_open).then(|| (channel.clone(), seat))
            });
            (seats.collect::<Vec<_>>(), self.session.map(|number| book.sessions[number].peer.clone()))
        };
        for (channel, seat) in channels {
            if let (Some(peer), Some(_)) = (&peer, &seat) {
                self.stage.book().desk.seats.insert((peer.clone(), channel.clone()));
            }
            let message = ClientMessage::Join {
                channel: Cow::Borrowed(&channel),
                userdata: None,
                seat: seat.as_deref().map(Cow::Borrowed),
            };
            self.ask(message, Asked::Join(channel.clone()));
        }
    }
}
