//! What the embedder holds.

use std::{net::SocketAddr, sync::Arc, task::Waker, time::Duration};

use http::request::Parts;
use serde::Serialize;
use signal_core::{ChannelName, CloseReason, ErrorCode, Input, OwnedPayload, PeerId, Target};
use tokio::time;
use tracing::Instrument;

use crate::{
    Admission, Admitted, Builder, Events, FrameLimits, Guest, Origins, Refusal, Socket, Timing, connection,
    driver::Shared, link::Link, metrics::OpenSocket, question::unharmed, random, timer, trace,
};

/// A signaling server. Cloning makes another handle of the same one.
#[derive(Clone, Debug)]
pub struct Signaling {
    pub(crate) shared: Arc<Shared>,
}

/// A channel that has members.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ChannelInfo {
    /// Its name.
    pub name: ChannelName,
    /// Who is in it, in join order.
    pub members: Vec<MemberInfo>,
}

/// One member of a channel.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct MemberInfo {
    /// Its id.
    pub peer: PeerId,
    /// What the policy has verified about it.
    pub identity: Option<Box<str>>,
    /// What it says about itself, as JSON text.
    pub userdata: Option<Box<str>>,
}

/// A message of the embedder could not be sent.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum SendError {
    /// There is no such peer or channel.
    #[error("there is no such peer or channel")]
    NoRecipient,
    /// The data is larger as JSON text than a message of a client may be; clients might not take it.
    #[error("the data is too large")]
    TooLarge,
    /// The data has no JSON form.
    #[error("the data has no JSON form")]
    Json(#[from] serde_json::Error),
}

impl Signaling {
    /// Starts to configure a server.
    #[must_use]
    pub fn builder() -> Builder {
        Builder::default()
    }

    /// What happens from now on.
    #[must_use]
    pub fn events(&self) -> Events {
        Events(self.shared.events.subscribe())
    }

    /// All channels with members.
    #[must_use]
    pub fn channels(&self) -> Vec<ChannelInfo> {
        let state = self.shared.lock();
        state.hub.channels().map(|(name, channel)| channel_info(name, channel)).collect()
    }

    /// One channel, if it has members.
    #[must_use]
    pub fn channel(&self, name: &str) -> Option<ChannelInfo> {
        let name = ChannelName::new(name).ok()?;
        self.shared.lock().hub.channel(name.as_str()).map(|channel| channel_info(&name, channel))
    }

    /// All peers, those included whose socket is lost but may come back.
    #[must_use]
    pub fn peers(&self) -> Vec<PeerId> {
        self.shared.lock().hub.sessions().map(|(_, peer)| peer.clone()).collect()
    }

    /// Sends an app message to one peer, which gets it as `message` without `peer_id`. What a peer gets that speaks another
    /// protocol, if that has words for it, is its [`Dialect`](crate::Dialect)'s to say.
    ///
    /// # Errors
    ///
    /// [`SendError`] when there is no such peer, or `data` has no JSON form or is too large.
    pub fn send_to_peer(&self, peer: &PeerId, data: &impl Serialize) -> Result<(), SendError> {
        let link = self.link_of(peer).ok_or(SendError::NoRecipient)?;
        let data = self.payload(data)?;
        let input = Input::Published { to: Target::Session(link.session), data: data.as_payload() };
        if self.shared.handle_for(&link, input, |_| true) { Ok(()) } else { Err(SendError::NoRecipient) }
    }

    /// Sends an app message to all members of a channel, as [`Signaling::send_to_peer`] does to one.
    ///
    /// # Errors
    ///
    /// [`SendError`] when there is no such channel, or `data` has no JSON form or is too large.
    pub fn send_to_channel(&self, channel: &str, data: &impl Serialize) -> Result<(), SendError> {
        let data = self.payload(data)?;
        let input = Input::Published { to: Target::Channel(channel), data: data.as_payload() };
        let has_members = self.shared.handle_if(input, |state| state.hub.channel(channel).is_some());
        if has_members { Ok(()) } else { Err(SendError::NoRecipient) }
    }

    /// Ends the session of a peer. Whether there was one.
    pub fn kick(&self, peer: &PeerId) -> bool {
        self.link_of(peer).is_some_and(|link| self.shared.end(&link, CloseReason::Kicked))
    }

    /// Ends all sessions of somebody whom the policy has identified. How many there were.
    pub fn kick_identity(&self, identity: &str) -> usize {
        let is_theirs = |link: &&Arc<Link>| link.identity.as_deref() == Some(identity);
        let theirs: Vec<_> =
            self.shared.lock().links.iter().map(|(_, link)| link).filter(is_theirs).cloned().collect();
        theirs.iter().filter(|link| self.shared.end(link, CloseReason::Kicked)).count()
    }

    /// Takes a peer out of one channel. Whether it was there.
    pub fn remove(&self, peer: &PeerId, channel: &str) -> bool {
        let Some(link) = self.link_of(peer) else { return false };
        self.shared.handle_if(Input::Expelled { session: link.session, channel }, |state| {
            let is_member = state.hub.channel(channel).is_some_and(|channel| channel.member(peer).is_some());
            is_member && state.has(&link)
        })
    }

    /// Decides on an upgrade to a WebSocket that is asked for over a connection from `remote`. For adapters, and for upgrade
    /// handlers that want the [`SocketLimits`](crate::SocketLimits) to hold.
    ///
    /// Without `remote` only the bound of the whole server holds, and `X-Forwarded-For` is not read.
    ///
    /// # Errors
    ///
    /// The policy's [`Refusal`]; also when the request comes from a page that is not let in, the policy does not decide
    /// in time, there are too many sockets, or the server goes down.
    pub async fn admit(&self, request: &Parts, remote: Option<SocketAddr>) -> Result<Admitted, Refusal> {
        let policy = &self.shared.policy;
        self.decide(&self.shared.config.origins, request, remote, policy.upgrade(request)).await
    }

    /// [`Signaling::admit`] for a client that speaks another protocol: [`Policy::guest`](crate::Policy::guest) is asked. For
    /// pages of other servers there may be other `origins` than those of [`Builder::origins`].
    ///
    /// # Errors
    ///
    /// As [`Signaling::admit`].
    pub async fn admit_guest(
        &self,
        guest: Guest,
        origins: Option<&Origins>,
        request: &Parts,
        remote: Option<SocketAddr>,
    ) -> Result<Admitted, Refusal> {
        let origins = origins.unwrap_or(&self.shared.config.origins);
        let policy = &self.shared.policy;
        let decided = policy.guest(guest.dialect.name(), request);
        let admitted = self.decide(origins, request, remote, decided).await?;
        Ok(Admitted { guest: Some(Box::new(guest)), ..admitted })
    }

    async fn decide(
        &self,
        origins: &Origins,
        request: &Parts,
        remote: Option<SocketAddr>,
        policy: impl Future<Output = Result<Admission, Refusal>>,
    ) -> Result<Admitted, Refusal> {
        let admitted = self.let_in(origins, request, remote, policy).await;
        if let Err(refusal) = &admitted {
            self.shared.metrics.refused(refusal.status());
            trace::refused("upgrade", refusal);
        }
        admitted
    }

    async fn let_in(
        &self,
        origins: &Origins,
        request: &Parts,
        remote: Option<SocketAddr>,
        policy: impl Future<Output = Result<Admission, Refusal>>,
    ) -> Result<Admitted, Refusal> {
        if self.shared.draining.is_cancelled() {
            return Err(Refusal::unavailable("The server is going down."));
        }
        origins.check(request)?;
        let address = self.shared.addresses.client(remote, &request.headers);
        let place = self.shared.addresses.enter(address)?;
        let patience = self.shared.config.timing.hello;
        let decided = time::timeout(patience, unharmed(policy)).await;
        let admission =
            decided.unwrap_or_else(|_| Err(Refusal::unavailable(ErrorCode::Unavailable.message())))?;
        Ok(Admitted { admission, address, place: Some(place), guest: None })
    }

    /// How many bytes a socket reads of a message, see [`FrameLimits::read`](crate::FrameLimits::read). For adapters.
    #[must_use]
    pub fn most_read(&self) -> usize {
        self.shared.config.frames.read
    }

    /// The bounds of a frame, to which also texts of other protocols are held. For dialects.
    #[must_use]
    pub fn frame_limits(&self) -> &FrameLimits {
        &self.shared.config.frames
    }

    /// Which pages are let in. For adapters.
    #[must_use]
    pub fn origins(&self) -> &Origins {
        &self.shared.config.origins
    }

    /// The times that a socket is held to. For adapters.
    #[must_use]
    pub fn timing(&self) -> &Timing {
        &self.shared.config.timing
    }

    /// Carries one client over `socket` until it is gone. For adapters: they spawn this. A client that has been let in without
    /// [`Signaling::admit`] is an [`Admission`](crate::Admission).
    pub fn serve(
        &self,
        socket: impl Socket,
        admitted: impl Into<Admitted>,
    ) -> impl Future<Output = ()> + Send + 'static {
        timer::start(&self.shared);
        let (open, admitted) = (OpenSocket::new(&self.shared), admitted.into());
        let span = trace::socket(&admitted);
        self.shared.tasks.track_future(connection::run(open, Box::new(socket), admitted).instrument(span))
    }

    /// Goes down: lets in nobody, asks all clients to come back a little later, and closes their sockets.
    ///
    /// It is done when all sockets are closed or `patience` is over.
    pub async fn drain(&self, patience: Duration) {
        self.shared.draining.cancel();
        self.shared.tasks.close();
        let most = self.shared.config.timing.reconnect;
        let links: Vec<_> = self.shared.lock().links.iter().map(|(_, link)| Arc::clone(link)).collect();
        for link in links {
            let mut link = link.lock();
            link.closing = Some(random::up_to(most));
            link.wake().into_iter().for_each(Waker::wake);
        }
        // Whoever is still there then is cut off with the process.
        let _ = time::timeout(patience, self.shared.tasks.wait()).await;
    }

    fn link_of(&self, peer: &PeerId) -> Option<Arc<Link>> {
        let state = self.shared.lock();
        state.hub.session_of(peer.as_str()).and_then(|session| state.link(session)).cloned()
    }

    fn payload(&self, data: &impl Serialize) -> Result<OwnedPayload, SendError> {
        let json = serde_json::to_string(data)?;
        if json.len() > self.shared.config.frames.message {
            return Err(SendError::TooLarge);
        }
        Ok(OwnedPayload::from_json(&json)?)
    }
}

fn channel_info(name: &ChannelName, channel: &signal_core::Channel) -> ChannelInfo {
    let members = channel.members().iter().map(|member| MemberInfo {
        peer: member.peer.clone(),
        identity: member.identity.clone(),
        userdata: member.userdata.as_deref().map(Box::from),
    });
    ChannelInfo { name: name.clone(), members: members.collect() }
}
