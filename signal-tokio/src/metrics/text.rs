//! What has been counted, in the text format of Prometheus.

use std::{
    fmt,
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering::Relaxed},
    },
};

use prometheus_client::{
    collector::Collector,
    encoding::{DescriptorEncoder, EncodeMetric, MetricEncoder, NoLabelSet, prometheus_text},
    metrics::MetricType,
    registry::{Registry, Unit},
};
use signal_core::Counts;

use super::{Counters, Metrics, Sampled};
use crate::{Signaling, driver::Shared};

/// The media type of the text that [`metrics`] makes: the text format of Prometheus, version 0.0.4.
pub const METRICS_TYPE: &str = prometheus_text::CONTENT_TYPE;

/// What several servers in one process have counted, told apart by the label `server`. [`Signaling::metrics`] is for
/// one alone.
///
/// The names must differ, and are best short: each stands in every line about its server.
pub fn metrics<'a>(servers: impl IntoIterator<Item = (&'a str, &'a Signaling)>) -> String {
    page(servers.into_iter().map(|(name, server)| Seen::now(vec![("server", name.to_owned())], server)))
}

impl Signaling {
    /// What the server has counted since it started, and what there is now, as text that Prometheus reads; its media
    /// type is [`METRICS_TYPE`].
    ///
    /// It takes the same short time for any number of peers, and no name, id or address is in it.
    #[must_use]
    pub fn metrics(&self) -> String {
        page([Seen::now(Vec::new(), self)])
    }
}

/// One server at the moment when somebody looks.
struct Seen {
    /// What tells it from the others.
    labels: Vec<(&'static str, String)>,
    shared: Arc<Shared>,
    counts: Counts,
    members: u64,
}

impl Seen {
    fn now(labels: Vec<(&'static str, String)>, server: &Signaling) -> Self {
        let shared = Arc::clone(&server.shared);
        let (counts, members) = {
            let state = shared.lock();
            // Both are counted under this lock.
            let members = shared.metrics.joins.load(Relaxed) - shared.metrics.parts.load(Relaxed);
            (state.hub.counts(), members)
        };
        Self { labels, shared, counts, members }
    }

    fn metrics(&self) -> &Metrics {
        &self.shared.metrics
    }
}

fn page(servers: impl IntoIterator<Item = Seen>) -> String {
    let mut registry = Registry::with_prefix("signal");
    registry.register_collector(Box::new(Servers(servers.into_iter().collect())));
    let mut text = String::with_capacity(8 << 10);
    prometheus_text::encode(&mut text, &registry).expect("a String takes every text");
    text
}

#[derive(Debug)]
struct Servers(Vec<Seen>);

impl Collector for Servers {
    fn encode(&self, encoder: DescriptorEncoder<'_>) -> fmt::Result {
        let mut page = Page { encoder, servers: &self.0 };
        page.gauge("sockets_open", "Sockets that are open.", |seen| load(&seen.metrics().sockets_open))?;
        page.counter("sockets_accepted", "Sockets that were let in.", |metrics| &metrics.sockets_accepted)?;
        page.counters(
            "upgrades_refused",
            "Requests for a socket that were refused, by HTTP status.",
            |metrics| &metrics.upgrades_refused,
        )?;
        page.gauges("sessions", "Sessions, by whether a socket carries them.", "state", |counts| {
            [("attached", counts.attached), ("detached", counts.detached)]
        })?;
        page.counter("sessions_started", "Sessions that were opened.", |metrics| &metrics.sessions_started)?;
        page.counters("sessions_ended", "Sessions that have ended, by reason.", |metrics| {
            &metrics.sessions_ended
        })?;
        page.counters(
            "resumes",
            "Clients that wanted their session back, by what became of it.",
            |metrics| &metrics.resumes,
        )?;
        page.gauge("channels", "Channels with members.", |seen| seen.counts.channels as u64)?;
        page.gauge("members", "Seats in channels that are taken.", |seen| seen.members)?;
        page.counter("joins", "Seats in channels that were taken.", |metrics| &metrics.joins)?;
        page.counter("parts", "Seats in channels that were given up.", |metrics| &metrics.parts)?;
        page.gauge("pools", "Pools in which strangers wait.", |seen| seen.counts.pools as u64)?;
        page.gauge("waiting", "Strangers who wait in a pool.", |seen| seen.counts.waiting as u64)?;
        page.counter("matched", "Strangers who have met somebody.", |metrics| &metrics.matched)?;
        page.counters("relays", "Messages that were handed on, by kind.", |metrics| &metrics.relays)?;
        page.counters("errors", "Errors that peers were told, by code.", |metrics| &metrics.errors)?;
        page.counters("closes", "Sockets that were closed, by reason.", |metrics| &metrics.closes)?;
        page.counter("admin_refusals", "Requests to the admin routes without the right token.", |metrics| {
            &metrics.admin_refusals
        })?;
        page.histogram(
            "outbox_depth",
            "Frames kept for a client when one more was queued, of each 16th.",
            None,
            |metrics| &metrics.outbox_depth,
        )?;
        page.histogram(
            "encode",
            "Time to encode a message, of each 16th.",
            Some(&Unit::Seconds),
            |metrics| &metrics.encode_time,
        )?;
        page.histogram(
            "relay",
            "Time from a message's arrival until it is queued for all recipients, of each 16th.",
            Some(&Unit::Seconds),
            |metrics| &metrics.relay_time,
        )
    }
}

/// The text as it grows: a family of values after the other, in each a value for every server.
struct Page<'a, 'e> {
    encoder: DescriptorEncoder<'e>,
    servers: &'a [Seen],
}

impl Page<'_, '_> {
    fn counter(&mut self, name: &str, help: &str, read: fn(&Metrics) -> &AtomicU64) -> fmt::Result {
        self.family((name, help, None, MetricType::Counter), |seen, encoder| {
            let value = load(read(seen.metrics()));
            with_labels(encoder, &seen.labels, |mut encoder| {
                encoder.encode_counter::<NoLabelSet, _, f64>(&value, None)
            })
        })
    }

    fn counters(&mut self, name: &str, help: &str, read: fn(&Metrics) -> &Counters) -> fmt::Result {
        self.family((name, help, None, MetricType::Counter), |seen, encoder| {
            let Counters { label, values } = read(seen.metrics());
            values.iter().try_for_each(|(value, counter)| {
                with_labels(encoder, &seen.labels_and(label, value), |mut encoder| {
                    encoder.encode_counter::<NoLabelSet, _, f64>(&load(counter), None)
                })
            })
        })
    }

    fn gauge(&mut self, name: &str, help: &str, read: fn(&Seen) -> u64) -> fmt::Result {
        self.family((name, help, None, MetricType::Gauge), |seen, encoder| {
            with_labels(encoder, &seen.labels, |mut encoder| encoder.encode_gauge(&read(seen)))
        })
    }

    fn gauges<const N: usize>(
        &mut self,
        name: &str,
        help: &str,
        label: &'static str,
        read: fn(&Counts) -> [(&'static str, usize); N],
    ) -> fmt::Result {
        self.family((name, help, None, MetricType::Gauge), |seen, encoder| {
            read(&seen.counts).into_iter().try_for_each(|(value, number)| {
                with_labels(encoder, &seen.labels_and(label, value), |mut encoder| {
                    encoder.encode_gauge(&(number as u64))
                })
            })
        })
    }

    fn histogram(
        &mut self,
        name: &str,
        help: &str,
        unit: Option<&Unit>,
        read: fn(&Metrics) -> &Sampled,
    ) -> fmt::Result {
        self.family((name, help, unit, MetricType::Histogram), |seen, encoder| {
            let histogram = &read(seen.metrics()).histogram;
            with_labels(encoder, &seen.labels, |encoder| histogram.encode(encoder))
        })
    }

    fn family(
        &mut self,
        (name, help, unit, kind): (&str, &str, Option<&Unit>, MetricType),
        mut each: impl FnMut(&Seen, &mut MetricEncoder<'_>) -> fmt::Result,
    ) -> fmt::Result {
        let mut encoder = self.encoder.encode_descriptor(name, help, unit, kind)?;
        self.servers.iter().try_for_each(|seen| each(seen, &mut encoder))
    }
}

fn load(counter: &AtomicU64) -> u64 {
    counter.load(Relaxed)
}

fn with_labels(
    encoder: &mut MetricEncoder<'_>,
    labels: &Vec<(&'static str, String)>,
    encode: impl FnOnce(MetricEncoder<'_>) -> fmt::Result,
) -> fmt::Result {
    encode(encoder.encode_family(labels)?)
}

impl Seen {
    fn labels_and(&self, label: &'static str, value: &str) -> Vec<(&'static str, String)> {
        let mut labels = self.labels.clone();
        labels.push((label, value.to_owned()));
        labels
    }
}

impl fmt::Debug for Seen {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Seen").field("labels", &self.labels).finish_non_exhaustive()
    }
}
