//! The steps of the plans that the tests walk through, and records edited as no code of Berth would.

use berth_domain::operation::Kind;
use berth_domain::plan::for_topology;
use berth_domain::spec::Topology;
use berth_domain::{Environment, Step};
use serde_json::Value;

/// The steps of a provisioning, as they are shown.
pub fn provision_steps() -> impl Iterator<Item = Step> {
    for_topology(Kind::Provision, Topology::Dedicated).steps()
}

/// The steps of a removal, as they are shown.
pub fn removal_steps() -> impl Iterator<Item = Step> {
    for_topology(Kind::Delete, Topology::Dedicated).steps()
}

/// Sets the member at `pointer` of a stored record: what no method of [`Environment`] allows.
pub fn edit_record(environment: &mut Environment, pointer: &str, value: Value) {
    let mut record = serde_json::to_value(&*environment).expect("a record");
    *record.pointer_mut(pointer).expect("a member") = value;
    *environment = serde_json::from_value(record).expect("a record");
}
