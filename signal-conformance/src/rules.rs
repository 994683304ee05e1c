//! The rules, by theme. Their names are the sentences.

/// Names the rules of a module, which become tests by the macro `$theme`.
macro_rules! rules {
    (($d:tt) $theme:ident: $($rule:ident),+ $(,)?) => {
        #[doc(hidden)]
        pub mod tests {
            $(pub async fn $rule(adapter: $crate::Adapter) {
                super::$rule(adapter).await;
            })+
        }

        #[doc(hidden)]
        #[macro_export]
        macro_rules! $theme {
            ($d serve:path) => {
                mod $theme {
                    $(#[test]
                    fn $rule() {
                        let serve: $crate::Serve =
                            |signaling, listener, stop| Box::pin($d serve(signaling, listener, stop));
                        $crate::run(serve, $crate::rules::$theme::tests::$rule);
                    })+
                }
            };
        }
    };
}

pub mod acknowledgements;
pub mod addresses;
pub mod bad_inputs;
pub mod bounds;
pub mod channels;
pub mod cuts;
pub mod decisions;
pub mod drain;
pub mod embedder;
pub mod frames;
pub mod heartbeat;
pub mod hello;
pub mod jwt;
pub mod leaks;
pub mod matchmaking;
pub mod outcomes;
pub mod rates;
pub mod relays;
pub mod restart;
pub mod resume;
pub mod signatures;
pub mod slow;
pub mod stars;
pub mod storms;
pub mod strangers;
pub mod tokens;
pub mod turn;
pub mod upgrade;
pub mod waiting;

use std::time::Duration;

use signal_tokio::Timing;

/// So short that a rule can wait for its end, and long enough that nothing else ends by it.
pub(crate) const SHORT: Duration = Duration::from_millis(100);

/// Longer than any rule takes.
const FOREVER: Duration = Duration::from_secs(3600);

fn short_hello() -> Timing {
    Timing { hello: SHORT, ..Timing::default() }
}
