//! The server has started again: whose calls go on gets the seat back.

use expect_test::expect;

use super::transcript::{check, check_with};
use crate::Limits;

#[test]
fn strangers_wait_until_those_who_return_have_had_their_time() {
    check(
        r"
        restarted
        policy for duo: capacity 2
        mal: join duo #1
        wait 2s / ann: return duo #2
        wait 2s / bob: return duo #3
        wait 999ms / --- / wait 1ms
        ",
        expect![[r"
            mal <- error channel_full in duo #1
        "]],
    );
}

#[test]
fn a_seat_that_nobody_comes_back_for_goes_to_who_has_waited() {
    check(
        r"
        restarted
        policy for duo: capacity 2
        mal: join duo #1 / eve: join duo #2
        wait 1s / ann: return duo #3
        wait 4s
        ",
        expect![[r"
            ann <- joined duo, 0 peers #3
            ann <- addPeer mal in duo, answer
            mal <- joined duo, 1 peer #1
            mal <- addPeer ann in duo, offer
            eve <- error channel_full in duo #2
        "]],
    );
}

#[test]
fn channels_for_all_are_joined_at_once() {
    check(
        r"
        restarted
        policy for club: capacity 64
        mal: join lobby / mal: join club
        ",
        expect![[r"
            mal <- joined lobby, 0 peers
            mal <- joined club, 0 peers
        "]],
    );
}

#[test]
fn nobody_waits_when_the_time_is_over() {
    let limits = Limits { returning: std::time::Duration::ZERO, ..Limits::default() };
    let script = r"
        restarted
        policy for duo: capacity 2
        mal: join duo
        ";
    check_with(
        limits,
        script,
        expect![[r"
            mal <- joined duo, 0 peers
        "]],
    );
    check(
        r"
        restarted
        policy for duo: capacity 2
        wait 5s / mal: join duo
        ",
        expect![[r"
            mal <- joined duo, 0 peers
        "]],
    );
}

#[test]
fn a_bad_proof_is_none() {
    check(
        r"
        restarted
        policy for duo: capacity 2
        mal: pretend duo
        wait 4s
        ",
        expect![""],
    );
}

#[test]
fn what_a_stranger_says_about_the_channel_waits_with_its_join() {
    check(
        r#"
        restarted
        policy for duo: capacity 2
        mal: join duo #1 / mal: say duo "hi" #2 / mal: part duo #3
        wait 5s
        "#,
        expect![[r"
            mal <- joined duo, 0 peers #1
            mal <- ok #2
            mal <- parted duo #3
        "]],
    );
}

#[test]
fn who_gives_up_while_it_waits_leaves_nothing_behind() {
    check(
        r"
        restarted
        policy for duo: capacity 2
        mal: join duo / eve: join duo
        mal: bye / eve detaches
        wait 20s
        ",
        expect![[r"
            close mal: 1000 bye
            mal ended: bye
            eve <- joined duo, 0 peers
            eve ended: timeout
        "]],
    );
}

#[test]
fn strangers_who_have_met_find_each_other_again() {
    check(
        r"
        restarted
        policy for ~1: capacity 2
        ann: return ~1 / bob: return ~1
        eve: join ~1 / mal: pretend ~1 / wait 5s
        ",
        expect![[r"
            ann <- joined ~1, 0 peers
            ann <- addPeer bob in ~1, answer
            bob <- joined ~1, 1 peer
            bob <- addPeer ann in ~1, offer
            eve <- error unauthorized in ~1
            mal <- error channel_full in ~1
        "]],
    );
}

#[test]
fn the_host_of_a_star_is_waited_for() {
    check(
        r"
        restarted
        policy for stage: star, viewers vera
        ben: return stage as 2 #1 / mal: join stage #2 / cem: return stage as 3 #3
        vera: return stage as 4 / wait 2s
        ---
        ann: return stage as host
        ",
        expect![[r"
            vera <- addPeer ann in stage, answer, host
            ann <- joined stage, 1 peer
            ann <- addPeer vera in stage, offer
            ann <- addPeer ben in stage, answer
            ben <- joined stage, 1 peer #1
            ben <- addPeer ann in stage, offer, host
            ann <- addPeer cem in stage, answer
            cem <- joined stage, 1 peer #3
            cem <- addPeer ann in stage, offer, host
            ann <- addPeer mal in stage, answer
            mal <- joined stage, 1 peer #2
            mal <- addPeer ann in stage, offer, host
        "]],
    );
}

#[test]
fn without_its_host_a_star_has_the_one_who_came_first() {
    check(
        r"
        restarted
        policy for stage: star
        mal: join stage / cem: return stage as 3 / ben: return stage as 2
        wait 4999ms / --- / wait 1ms
        dan: return stage as host
        ",
        expect![[r"
            ben <- joined stage, 0 peers
            ben <- addPeer cem in stage, answer
            cem <- joined stage, 1 peer
            cem <- addPeer ben in stage, offer, host
            ben <- addPeer mal in stage, answer
            mal <- joined stage, 1 peer
            mal <- addPeer ben in stage, offer, host
            ben <- addPeer dan in stage, answer
            dan <- joined stage, 1 peer
            dan <- addPeer ben in stage, offer, host
        "]],
    );
}

#[test]
fn a_star_with_a_capacity_has_its_host_and_then_those_who_were_there() {
    check(
        r"
        restarted
        policy for stage: star, capacity 2
        mal: join stage / ben: return stage as 2 / ann: return stage as host
        wait 5s
        ",
        expect![[r"
            ann <- joined stage, 0 peers
            ann <- addPeer ben in stage, answer
            ben <- joined stage, 1 peer
            ben <- addPeer ann in stage, offer, host
            mal <- error channel_full in stage
        "]],
    );
}

#[test]
fn who_waits_for_a_host_and_goes_leaves_nothing_behind() {
    check(
        r"
        restarted
        policy for stage: star
        mal: join stage / ben: return stage as 2
        mal: bye
        ann: return stage as host
        ",
        expect![[r"
            close mal: 1000 bye
            mal ended: bye
            ann <- joined stage, 0 peers
            ann <- addPeer ben in stage, answer
            ben <- joined stage, 1 peer
            ben <- addPeer ann in stage, offer, host
        "]],
    );
}
