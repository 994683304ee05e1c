//! One host, whom everybody meets, and nobody else does.

use expect_test::expect;

use super::transcript::check;

#[test]
fn members_of_a_star_are_introduced_to_the_host_only() {
    check(
        r#"policy for stage: star
         a: join stage {"name":"Ann"} #1
         b: join stage {"name":"Ben"} #1
         c: join stage #1"#,
        expect![[r#"
            a <- joined stage, 0 peers #1
            a <- addPeer b in stage, answer, {"name":"Ben"}
            b <- joined stage, 1 peer #1
            b <- addPeer a in stage, offer, {"name":"Ann"}, host
            a <- addPeer c in stage, answer
            c <- joined stage, 1 peer #1
            c <- addPeer a in stage, offer, {"name":"Ann"}, host
        "#]],
    );
}

#[test]
fn the_longest_standing_member_that_may_be_host_follows_the_host() {
    check(
        "policy for stage: star, viewers b
         a b c d: join stage
         ---
         show ids
         a: part stage #2",
        expect![[r#"
            b c d <- removePeer a from stage, parted
            b d <- addPeer c in stage @7.5, answer, host
            c <- addPeer b in stage @7.5, offer
            c <- addPeer d in stage @7.5, offer
            a <- parted stage #2
            a <- removePeer b from stage, parted
            a <- removePeer c from stage, parted
            a <- removePeer d from stage, parted
        "#]],
    );
}

#[test]
fn who_comes_after_a_change_of_host_offers_to_the_new_one() {
    check(
        "policy for stage: star
         a b c: join stage
         a ends closed
         ---
         show ids
         d: join stage
         c: join stage
         b: join stage",
        expect![[r#"
            b <- addPeer d in stage @7.5, answer
            d <- joined stage, 1 peer
            d <- addPeer b in stage @7.5, offer, host
            c <- joined stage, 1 peer
            c <- addPeer b in stage @7.4, answer, host
            b <- joined stage, 2 peers
            b <- addPeer c in stage @7.4, offer
            b <- addPeer d in stage @7.5, answer
        "#]],
    );
}

#[test]
fn residents_of_a_star_can_be_those_who_offer() {
    check(
        "policy for stage: star, resident
         a b c: join stage
         ---
         a: part stage",
        expect![[r#"
            b c <- removePeer a from stage, parted
            c <- addPeer b in stage, offer, host
            b <- addPeer c in stage, answer
            a <- parted stage
            a <- removePeer b from stage, parted
            a <- removePeer c from stage, parted
        "#]],
    );
}

#[test]
fn viewers_wait_for_somebody_who_may_be_host() {
    check(
        "policy for stage: star, viewers a b
         a b: join stage
         a: tell b 1
         a: say stage 2 #2
         ---
         c: join stage
         d: join stage
         c: bye
         d: part stage
         a: tell b 3",
        expect![[r#"
            a b <- addPeer c in stage, answer, host
            c <- joined stage, 2 peers
            c <- addPeer a in stage, offer
            c <- addPeer b in stage, offer
            c <- addPeer d in stage, answer
            d <- joined stage, 1 peer
            d <- addPeer c in stage, offer, host
            close c: 1000 bye
            a b d <- removePeer c from stage, bye
            a b <- addPeer d in stage, answer, host
            d <- addPeer a in stage, offer
            d <- addPeer b in stage, offer
            c ended: bye
            a b <- removePeer d from stage, parted
            d <- parted stage
            d <- removePeer a from stage, parted
            d <- removePeer b from stage, parted
            a <- error unknown_peer for b
        "#]],
    );
}

#[test]
fn members_of_a_star_reach_the_host_and_the_host_reaches_all() {
    check(
        "policy for stage: star
         a b c: join stage
         ---
         b: say stage 1 #1
         a: say stage 2
         b: tell c 3
         b: tell a 4
         b: relay offer a @stage
         a: relay answer b @stage
         b: set stage 5
         a: set stage 6
         publish stage 7",
        expect![[r#"
            a <- message from b in stage: 1
            b <- ok #1
            b c <- message from a in stage: 2
            b <- error unknown_peer for c
            a <- message from b: 4
            a <- offer from b @stage
            b <- answer from a @stage
            a <- userdata of b in stage: 5
            b c <- userdata of a in stage: 6
            a b c <- message in stage: 7
        "#]],
    );
}

#[test]
fn an_introduction_to_a_former_host_is_stale() {
    check(
        "policy for stage: star
         a b c: join stage
         a b: join lobby
         ---
         a: part stage
         b: relay offer a @7.2
         b: relay offer a @lobby
         c: relay offer b @7.3
         c: relay offer b @stage",
        expect![[r#"
            b c <- removePeer a from stage, parted
            c <- addPeer b in stage, answer, host
            b <- addPeer c in stage, offer
            a <- parted stage
            a <- removePeer b from stage, parted
            a <- removePeer c from stage, parted
            b <- error stale_connection for a @stage
            a <- offer from b @lobby
            c <- error stale_connection for b @7.3
            b <- offer from c @stage
        "#]],
    );
}

#[test]
fn a_detached_host_stays_the_host_until_its_time_is_up() {
    check(
        "policy for stage: star
         a b c: join stage
         ---
         a detaches
         d: join stage
         a resumes
         a detaches
         wait 15s",
        expect![[r#"
            a <- addPeer d in stage, answer
            d <- joined stage, 1 peer
            d <- addPeer a in stage, offer, host
            b c d <- removePeer a from stage, timeout
            c d <- addPeer b in stage, answer, host
            b <- addPeer c in stage, offer
            b <- addPeer d in stage, offer
            a ended: timeout
        "#]],
    );
}

#[test]
fn a_host_on_another_machine_is_a_host_like_any_other() {
    check(
        "policy for stage: star
         a: join stage
         remote r joins stage
         b: join stage
         ---
         a: part stage
         b: say stage 1 #1
         remote r parts stage bye",
        expect![[r#"
            b <- removePeer a from stage, parted
            b <- addPeer r in stage, answer, host
            a <- parted stage
            a <- removePeer r from stage, parted
            a <- removePeer b from stage, parted
            b <- ok #1
            b <- removePeer r from stage, bye
        "#]],
    );
}

#[test]
fn over_a_slow_log_a_host_whose_session_has_ended_is_told_nothing() {
    check(
        "policy for stage: star
         a b: join stage
         log holds
         ---
         c: join stage
         a: bye
         b: say stage 1 #1
         b: set stage 2
         log commits all",
        expect![[r#"
            log <- join stage c
            close a: 1000 bye
            log <- part stage a, bye
            b <- ok #1
            log <- update stage b 2
            c <- joined stage, 1 peer
            c <- addPeer a in stage, offer, host
            b c <- removePeer a from stage, bye
            c <- addPeer b in stage, answer, host
            b <- addPeer c in stage, offer
            a ended: bye
            c <- userdata of b in stage: 2
        "#]],
    );
}

#[test]
fn over_a_slow_log_the_next_in_line_is_told_nothing_when_its_session_has_ended() {
    check(
        "policy for stage: star
         a b c: join stage
         log holds
         ---
         a: part stage
         b: bye
         log commits
         c: say stage 1 #1
         log commits",
        expect![[r#"
            log <- part stage a, parted
            close b: 1000 bye
            log <- part stage b, bye
            c <- removePeer a from stage, parted
            c <- addPeer b in stage, answer, host
            a <- parted stage
            a <- removePeer b from stage, parted
            a <- removePeer c from stage, parted
            c <- ok #1
            c <- removePeer b from stage, bye
            b ended: bye
        "#]],
    );
}

#[test]
fn who_leaves_a_star_is_separated_from_the_host_only() {
    check(
        "policy for stage: star, viewers v w
         a b c: join stage
         v w: join den
         policy for den: star, viewers v w
         v w: join stage
         ---
         b: part stage #1
         kick c stage
         a: part stage
         v: part stage #2",
        expect![[r#"
            a <- removePeer b from stage, parted
            b <- parted stage #1
            b <- removePeer a from stage, parted
            a <- removePeer c from stage, kicked
            c <- parted stage
            c <- removePeer a from stage, kicked
            v w <- removePeer a from stage, parted
            a <- parted stage
            a <- removePeer v from stage, parted
            a <- removePeer w from stage, parted
            v <- parted stage #2
        "#]],
    );
}
