//! The data path: accepts connections at a load balancer's DNS name and a listener's port, and carries them to a target.
//!
//! Each connection asks the state for its target, so that a listener is reopened only when its address changes. The
//! open listeners are in [`Listeners`], outside the stored state.

use std::collections::{BTreeMap, BTreeSet};
use std::io;
use std::time::Duration;

use tokio::sync::Mutex;
use tokio::task::{JoinHandle, JoinSet};

use super::targets::Phase;
use super::{Elb, State};
use crate::stand_in::Cloud;
use crate::stand_in::net::{Address, Listener, Stream};

/// The open listeners.
#[derive(Default)]
pub struct Listeners(Mutex<BTreeMap<Address, JoinHandle<()>>>);

/// Opens and closes listeners until they are those of the state.
pub(super) async fn reconcile(cloud: &Cloud) {
    let mut open = cloud.listeners().0.lock().await;
    let wanted = cloud.change(|account| addresses(&account.elb));
    let unwanted: Vec<Address> = open.keys().filter(|address| !wanted.contains(*address)).cloned().collect();
    for address in unwanted {
        if let Some(task) = open.remove(&address) {
            task.abort();
            // The address is free only after the task has been dropped.
            drop(task.await);
        }
    }
    for address in wanted {
        if open.contains_key(&address) {
            continue;
        }
        match cloud.net().listen(address.clone()).await {
            Ok(listener) => drop(open.insert(address.clone(), tokio::spawn(serve(cloud.clone(), listener, address)))),
            Err(error) => tracing::error!(%error, name = address.0, port = address.1, "no port for a listener"),
        }
    }
}

fn addresses(elb: &Elb) -> BTreeSet<Address> {
    elb.listeners
        .values()
        .filter_map(|listener| Some((elb.load_balancers.get(&listener.load_balancer)?.dns_name.clone(), listener.port)))
        .collect()
}

/// Carries connections until it is aborted; then they end too.
async fn serve(cloud: Cloud, mut listener: Listener, address: Address) {
    let clock = cloud.change(|account| account.engine.clock.clone());
    let mut connections = JoinSet::new();
    let mut rotation = 0_usize;
    loop {
        tokio::select! {
            accepted = listener.accept() => match accepted {
                Ok(client) => {
                    if let Some(target) = cloud.change(|account| choose(&account.elb, &address, rotation)) {
                        connections.spawn(carry(cloud.clone(), client, target));
                    }
                    rotation = rotation.wrapping_add(1);
                }
                Err(error) if error.kind() == io::ErrorKind::BrokenPipe => return,
                // For example too many open files: a later attempt may succeed.
                Err(_) => clock.sleep(Duration::from_secs(1)).await,
            },
            Some(_) = connections.join_next() => {}
        }
    }
}

/// The target of a connection: the healthy ones in turn or, if there are none, all that are registered (fail-open).
fn choose(elb: &Elb, (name, port): &Address, rotation: usize) -> Option<Address> {
    let load_balancer = elb
        .load_balancers
        .values()
        .find(|load_balancer| load_balancer.dns_name == *name && load_balancer.state == State::Active)?;
    let listener = elb
        .listeners
        .values()
        .find(|listener| listener.load_balancer == load_balancer.arn && listener.port == *port)?;
    let targets = &elb.target_groups.get(&listener.target_group)?.targets;
    let mut candidates: Vec<_> = targets.values().filter(|target| target.phase == Phase::Healthy).collect();
    if candidates.is_empty() {
        let closed = |phase| matches!(phase, Phase::Unused | Phase::Draining);
        candidates = targets.values().filter(|target| !closed(target.phase)).collect();
    }
    let target = candidates.get(rotation.checked_rem(candidates.len())?)?;
    Some((target.ip.clone(), target.port))
}

async fn carry(cloud: Cloud, mut client: Stream, target: Address) {
    if let Ok(mut server) = cloud.net().connect(&target).await {
        // When either side breaks off, both connections end; a load balancer shows nothing else.
        drop(tokio::io::copy_bidirectional(&mut client, &mut server).await);
    }
}
