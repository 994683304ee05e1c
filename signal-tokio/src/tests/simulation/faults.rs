//! What goes wrong.

use std::{sync::Arc, time::Duration};

use signal_core::EndReason;
use tokio::time::{Instant, sleep};

use super::{network::Stall, plan::CHANNELS, stage::Stage};
use crate::tests::dice::Dice;

/// Makes trouble until it is time to be quiet.
pub(super) async fn trouble(stage: Arc<Stage>, mut dice: Dice) {
    loop {
        sleep(dice.millis(50, stage.plan.calm)).await;
        if Instant::now() >= stage.quiet_at {
            return;
        }
        match dice.below(100) {
            0..55 => {
                if let Some(wire) = stage.some_wire(&mut dice) {
                    wire.cut(&mut dice);
                }
            }
            55..60 => {
                for wire in stage.wires() {
                    wire.cut(&mut dice);
                }
            }
            60..80 => {
                let client = dice.below(stage.plan.clients as u64) as usize;
                stage.stall(client, Stall::new(&mut dice));
            }
            80..84 => kick(&stage, &mut dice),
            84..88 => expel(&stage, &mut dice),
            88..94 => publish(&stage, &mut dice),
            _ if stage.plan.restarts => restart(&stage, &mut dice).await,
            _ => {}
        }
    }
}

fn kick(stage: &Stage, dice: &mut Dice) {
    let Some(signaling) = stage.signaling() else { return };
    let peers = signaling.peers();
    if !peers.is_empty() {
        let peer = &peers[dice.below(peers.len() as u64) as usize];
        stage.book().desk.allow(peer.as_str(), EndReason::Kicked);
        assert!(signaling.kick(peer), "{peer:?} was there a moment ago");
    }
}

fn expel(stage: &Stage, dice: &mut Dice) {
    let Some(signaling) = stage.signaling() else { return };
    let channel = dice.pick(&CHANNELS);
    let members = signaling.channel(channel).map(|info| info.members).unwrap_or_default();
    if !members.is_empty() {
        let member = &members[dice.below(members.len() as u64) as usize];
        assert!(signaling.remove(&member.peer, channel), "it was there a moment ago");
    }
}

fn publish(stage: &Stage, dice: &mut Dice) {
    let Some(signaling) = stage.signaling() else { return };
    // Nobody may be there.
    let _ = signaling.send_to_channel(dice.pick(&CHANNELS), &0);
    if let Some(peer) = signaling.peers().first() {
        let _ = signaling.send_to_peer(peer, &0);
    }
}

async fn restart(stage: &Arc<Stage>, dice: &mut Dice) {
    if dice.percent(30)
        && let Some(signaling) = stage.signaling()
    {
        signaling.drain(Duration::from_secs(1)).await;
    }
    stage.kill(dice).await;
    let life = stage.book().desk.life + 1;
    sleep(dice.millis(0, 3_000)).await;
    stage.start(life, dice);
}
