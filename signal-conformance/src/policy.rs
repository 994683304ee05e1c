//! A policy that does what names tell it.

use std::{
    future,
    sync::{Arc, LazyLock},
};

use signal_tokio::{
    Admission, ChannelSettings, FirstOffer, Hello, Hosting, JoinGrant, JoinRequest, MatchGrant, MatchRequest,
    PeerInfo, Policy, Refusal, Topology, async_trait,
};
use tokio::{sync::Semaphore, task::yield_now};
use tokio_tungstenite::tungstenite::http::request::Parts;

use crate::rules::SHORT;

/// What the bug of an embedder says.
pub(crate) const PANIC: &str = "a policy panics, as a rule wants it";

/// A sentence that is too long: a byte, and then characters of two bytes each.
pub(crate) static WORDY: LazyLock<String> = LazyLock::new(|| format!("x{}", "é".repeat(1000)));

/// Decides by the first word of what is asked for:
///
/// | word | upgrade to `x-ask:` | hello with the token | join of the channel | match in the pool |
/// |---|---|---|---|---|
/// | `refused` | 403 | refused | refused | refused |
/// | `wordy` | refused with [`WORDY`] | likewise | likewise | likewise |
/// | `unavailable` | 503 | unavailable | unavailable | unavailable |
/// | `never` | | no decision | no decision | no decision |
/// | `later` | after a while | after a while | when the gate lets it through | likewise |
/// | `id` | | the token is the identity | | |
/// | `pair` | | | at most two members | |
/// | `trio` | | | | three meet at a time |
/// | `resident` | | | those who are there offer | those who have waited offer |
/// | `stage` | | | a star; whose userdata is `"viewer"` is never the host | |
/// | `unlisted` | | | nobody is introduced | |
/// | `brief` | | | | nobody waits for long |
/// | `panic` | a bug of the embedder | likewise | likewise | likewise |
#[derive(Clone, Debug)]
pub(crate) struct ByName {
    /// Lets one join or match through for each permit.
    pub(crate) gate: Arc<Semaphore>,
}

impl Default for ByName {
    fn default() -> Self {
        Self { gate: Arc::new(Semaphore::new(0)) }
    }
}

#[async_trait]
impl Policy for ByName {
    async fn upgrade(&self, request: &Parts) -> Result<Admission, Refusal> {
        let asked = request.headers.get("x-ask").and_then(|value| value.to_str().ok());
        decide(asked.unwrap_or_default()).await?;
        Ok(Admission::default())
    }

    async fn hello(&self, admission: Admission, hello: &Hello<'_>) -> Result<Admission, Refusal> {
        let token = hello.token.as_deref().unwrap_or_default();
        decide(token).await?;
        Ok(if first_word(token) == "id" { Admission::identified(token) } else { admission })
    }

    async fn join(&self, _: &PeerInfo, request: &JoinRequest<'_>) -> Result<JoinGrant, Refusal> {
        let mut settings = ChannelSettings::default();
        let mut hosting = Hosting::default();
        match first_word(request.channel) {
            "pair" => settings.capacity = 2,
            "resident" => settings.first_offer = FirstOffer::Resident,
            "stage" => {
                settings.topology = Topology::Star;
                if request.userdata == Some(r#""viewer""#) {
                    hosting = Hosting::Never;
                }
            }
            "unlisted" => settings.topology = Topology::Unlisted,
            "later" => self.gate.acquire().await.unwrap().forget(),
            _ => decide(request.channel).await?,
        }
        Ok(JoinGrant { settings, hosting })
    }

    async fn matchmaking(&self, _: &PeerInfo, request: &MatchRequest<'_>) -> Result<MatchGrant, Refusal> {
        let mut grant = MatchGrant::default();
        match first_word(request.pool) {
            "trio" => grant.settings.capacity = 3,
            "resident" => grant.settings.first_offer = FirstOffer::Resident,
            "brief" => grant.patience = SHORT,
            "later" => self.gate.acquire().await.unwrap().forget(),
            _ => decide(request.pool).await?,
        }
        Ok(grant)
    }
}

async fn decide(name: &str) -> Result<(), Refusal> {
    match first_word(name) {
        "refused" => Err(Refusal::unauthorized("Not you.")),
        "wordy" => Err(Refusal::unauthorized(WORDY.as_str())),
        "unavailable" => Err(Refusal::unavailable("The database is away.")),
        "never" => future::pending().await,
        "panic" => panic!("{PANIC}"),
        "later" => {
            yield_now().await;
            Ok(())
        }
        _ => Ok(()),
    }
}

fn first_word(name: &str) -> &str {
    name.split(' ').next().unwrap_or_default()
}
