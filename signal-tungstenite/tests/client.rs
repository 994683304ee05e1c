//! The native client against our own server.

use std::{borrow::Cow, error::Error, future::pending};

use signal_core::{OwnedPayload, Payload, ServerMessage};
use signal_tungstenite::{
    Admission, Hello, Policy, Refusal, Server, Signaling, async_trait,
    client::{Client, ClientError, Incoming, Request, Role},
};
use tokio::net::TcpListener;

type Outcome = Result<(), Box<dyn Error>>;

async fn start(signaling: &Signaling) -> Result<String, Box<dyn Error>> {
    let listener = TcpListener::bind("127.0.0.1:0").await?;
    let url = format!("ws://{}/", listener.local_addr()?);
    tokio::spawn(Server::new(signaling).serve(listener, pending()));
    Ok(url)
}

async fn next(client: &mut Client) -> Result<Incoming, Box<dyn Error>> {
    Ok(client.receive().await?.ok_or("the server has closed")?)
}

#[tokio::test]
async fn two_clients_meet_and_hand_each_other_a_candidate() -> Outcome {
    let url = start(&Signaling::builder().build()?).await?;
    let (mut ann, mut bob) = (Client::connect(&url, None).await?, Client::connect(&url, None).await?);
    let userdata = OwnedPayload::from_json(r#"{"name":"Ann"}"#)?;
    ann.join("lobby", Some(userdata.as_payload())).await?;
    assert!(next(&mut ann).await?.as_str().contains("joined"));
    bob.join("lobby", None).await?;
    assert!(next(&mut bob).await?.as_str().contains("joined"));

    let introduced = next(&mut bob).await?;
    let frame = introduced.frame().ok_or("not of the protocol")?;
    let Some(ServerMessage::AddPeer { peer_id, role, userdata, .. }) = frame.message() else {
        return Err("bob is introduced to ann".into());
    };
    assert_eq!(
        (peer_id.as_ref(), role, userdata.as_str()),
        (ann.peer().as_str(), Role::Offerer, r#"{"name":"Ann"}"#)
    );

    let (ice_candidate, connection_id, attempt) = (Payload::NULL, None, None);
    let peer_id = Cow::Borrowed(ann.peer().as_str());
    bob.request(None, Request::RelayIceCandidate { peer_id, ice_candidate, connection_id, attempt }).await?;
    assert!(next(&mut ann).await?.as_str().contains("addPeer"));
    let relayed = next(&mut ann).await?;
    let frame = relayed.frame().ok_or("not of the protocol")?;
    let Some(ServerMessage::IceCandidate { peer_id, .. }) = frame.message() else {
        return Err("ann gets the candidate".into());
    };
    assert_eq!(peer_id, bob.peer().as_str());

    bob.close().await?;
    assert!(next(&mut ann).await?.as_str().contains(r#""reason":"bye""#));
    Ok(())
}

#[tokio::test]
async fn many_frames_are_acknowledged_so_that_the_session_goes_on() -> Outcome {
    let signaling = Signaling::builder().outbox(64, 512 << 10).build()?;
    let url = start(&signaling).await?;
    let mut client = Client::connect(&url, None).await?;
    for round in 0..200 {
        signaling.send_to_peer(client.peer(), &round)?;
        assert!(next(&mut client).await?.as_str().ends_with(&format!(r#""data":{round}}}"#)));
    }
    Ok(())
}

#[tokio::test]
async fn a_refusal_says_why() -> Outcome {
    struct Nobody;

    #[async_trait]
    impl Policy for Nobody {
        async fn hello(&self, _: Admission, hello: &Hello<'_>) -> Result<Admission, Refusal> {
            Err(Refusal::unauthorized(format!("Not with {:?}.", hello.token)))
        }
    }

    let url = start(&Signaling::builder().policy(Nobody).build()?).await?;
    match Client::connect(&url, Some("a token")).await {
        Err(ClientError::Refused(why)) => assert_eq!(why, r#"Not with Some("a token")."#),
        other => return Err(format!("{other:?}").into()),
    }
    Ok(())
}
